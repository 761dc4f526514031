"""Reports by the clock."""

from celery import shared_task
from django.utils import timezone

from email_service.reports import aggregation
from email_service.reports.queries import HEARTBEAT
from email_service.send_tasks import pulse

HOURS_A_RUN = 500


@shared_task
def refresh_reports() -> None:
    """Count the marked hours anew, and go on while there are more. Safe to run twice, or twice at once."""
    if aggregation.refresh(timezone.now(), HOURS_A_RUN) == HOURS_A_RUN:
        refresh_reports.delay()
    else:
        pulse.tick(HEARTBEAT)
