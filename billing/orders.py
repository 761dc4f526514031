"""The life of an order: how long it waits for its money, and what ends it."""

from datetime import datetime, timedelta

from django.conf import settings

from billing.models import Order

# A bank takes days; the balance is there at once.
TRANSFER_LIFETIME = timedelta(days=7)


def lifetime() -> timedelta:
    """Return how long an order waits for its payment."""
    return timedelta(hours=settings.ORDER_LIFETIME_HOURS)


def expire_overdue(now: datetime) -> int:
    """Mark the orders that nobody paid in time; pages call them expired from that moment on anyway."""
    return Order.objects.all().overdue(now).update(status=Order.Status.EXPIRED)
