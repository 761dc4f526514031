"""The life of an order: how long it waits for its money, and what ends it."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.models import Order, Payment
from koomessage.common.errors import RuleViolation

# A bank takes days; the balance is there at once.
TRANSFER_LIFETIME = timedelta(days=7)


def lifetime() -> timedelta:
    """Return how long an order waits for its payment."""
    return timedelta(hours=settings.ORDER_LIFETIME_HOURS)


def expire_overdue(now: datetime) -> int:
    """Mark the orders that nobody paid in time; pages call them expired from that moment on anyway."""
    count = Order.objects.all().overdue(now).update(status=Order.Status.EXPIRED)
    over = Payment.objects.waiting().filter(order__status=Order.Status.EXPIRED)
    over.update(status=Payment.Status.EXPIRED, finished_at=now)
    return count


def judge_open(order: Order) -> None:
    """Raise RuleViolation for an order that can be paid or dropped no more."""
    status = order.status_at(timezone.now())
    if status == Order.Status.PAID:
        raise RuleViolation(_("This order is paid; a paid order is final."))
    if status not in Order.OPEN:
        raise RuleViolation(_("This order is closed. Place a new one."))
