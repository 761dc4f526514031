"""What billing does by the clock."""

from celery import shared_task
from django.utils import timezone

from billing import notices, orders, payments, settlement


@shared_task
def expire_orders() -> None:
    """Close the orders that were not paid in time. Twice, or late, is harmless."""
    orders.expire_overdue(timezone.now())


@shared_task
def check_payments() -> None:
    """Ask the gateway about payments whose message may be lost. Twice, or late, is harmless."""
    payments.check_due(timezone.now())


@shared_task
def settle_usage() -> None:
    """Charge the hours that are over. Twice, at once or late, is harmless."""
    settlement.settle_usage()


@shared_task
def send_notices() -> None:
    """Tell accounts of ends, of what is used up, and of arrears; each once."""
    notices.tell_due()
