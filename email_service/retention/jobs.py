"""Retention by the clock."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from email_service.retention import purging

# Then other jobs have their turn.
SLICE_SECONDS = 10.0


@shared_task
def purge_messages(until: float | None = None) -> None:
    """Remove messages older than RETENTION_DAYS, a slice at a time, for PURGE_MINUTES at most; the next night goes on.

    `until` is when that time is over, which the first slice sets.
    """
    if not settings.RETENTION_DAYS:
        return
    now = timezone.now()
    if until is None:
        until = now.timestamp() + settings.PURGE_MINUTES * 60
    before = now - timedelta(days=settings.RETENTION_DAYS)
    if purging.purge(before, seconds=SLICE_SECONDS) and now.timestamp() < until:
        purge_messages.delay(until)
