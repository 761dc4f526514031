"""What billing does by the clock."""

from celery import shared_task
from django.utils import timezone

from billing import orders


@shared_task
def expire_orders() -> None:
    """Close the orders that were not paid in time. Twice, or late, is harmless."""
    orders.expire_overdue(timezone.now())
