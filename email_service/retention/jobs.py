"""Retention by the clock."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from email_service.retention import purging


@shared_task
def purge_messages() -> None:
    """Remove messages older than RETENTION_DAYS for PURGE_MINUTES at most; the next night goes on."""
    if settings.RETENTION_DAYS:
        before = timezone.now() - timedelta(days=settings.RETENTION_DAYS)
        purging.purge(before, seconds=settings.PURGE_MINUTES * 60)
