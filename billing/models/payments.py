"""Each attempt to pay an order, by whichever method, and what became of it."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.orders import Order
from billing.prices import PLACES
from koomessage.common.models import TenantOwned, TenantQuerySet

ASK_WAITING_EVERY = timedelta(minutes=1)
ASK_CLOSED_EVERY = timedelta(hours=1)
ASK_FOR = timedelta(days=3)


class PaymentQuerySet(TenantQuerySet):
    def waiting(self) -> Self:
        return self.filter(status=Payment.Status.WAITING)

    def arrived(self) -> Self:
        """Keep the payments for which money came in from outside."""
        return self.filter(received__isnull=False)

    def to_ask_about(self, now: datetime) -> Self:
        """Keep the online payments whose gateway may know more than we do: a message of it may be lost."""
        open_now = models.Q(status=Payment.Status.WAITING, asked_at__lte=now - ASK_WAITING_EVERY)
        over = models.Q(asked_at__lte=now - ASK_CLOSED_EVERY, created_at__gt=now - ASK_FOR)
        rows = self.filter(open_now | over, method=Order.Method.ONLINE, received=None)
        return rows.order_by("asked_at", "pk")


class Payment(TenantOwned):
    """One attempt to pay one order. The database lets one of an order's payments succeed, and one wait."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting for the money")
        SUCCEEDED = "succeeded", _("Paid")
        CREDITED = "credited", _("Credited to the balance")
        FAILED = "failed", _("Payment failed")
        EXPIRED = "expired", _("Expired")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    class Why(models.TextChoices):
        """Why money that arrived did not pay the order."""

        LATE = "late", _("The order had expired.")
        CANCELLED = "cancelled", _("The order had been cancelled.")
        TWICE = "twice", _("The order had been paid already.")
        SHORT = "short", _("It was less than the order costs.")

    order = models.ForeignKey(
        Order, verbose_name=_("order"), on_delete=models.PROTECT, related_name="payments"
    )
    method = models.CharField(_("payment method"), max_length=16, choices=Order.Method)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.WAITING)
    why = models.CharField(_("reason"), max_length=10, choices=Why, blank=True)
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=PLACES)
    currency = models.CharField(_("currency"), max_length=3)
    received = models.DecimalField(
        _("amount received"), max_digits=14, decimal_places=PLACES, null=True, blank=True
    )
    reference = models.CharField(_("reference number"), max_length=24, unique=True)
    transaction = models.CharField(_("transaction number"), max_length=64, blank=True)
    login = models.CharField(_("by"), max_length=65, blank=True)
    created_at = models.DateTimeField(_("created"))
    asked_at = models.DateTimeField(_("gateway asked"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["order"],
                condition=models.Q(status="succeeded"),
                name="one_payment_succeeds_for_an_order",
            ),
            models.UniqueConstraint(
                fields=["order"], condition=models.Q(status="waiting"), name="one_payment_waits_for_an_order"
            ),
            models.UniqueConstraint(
                fields=["method", "transaction"],
                condition=~models.Q(transaction=""),
                name="transaction_booked_once",
            ),
            models.CheckConstraint(
                condition=models.Q(amount__gt=0)
                & (models.Q(received=None) | models.Q(received__gt=0, transaction__gt="")),
                name="payment_amounts_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(status="waiting", finished_at=None)
                | (~models.Q(status="waiting") & models.Q(finished_at__isnull=False)),
                name="payment_waits_or_is_finished",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "-created_at", "-id"], name="payment_by_tenant"),
            models.Index(fields=["method", "asked_at"], name="payment_by_question"),
        ]

    def __str__(self) -> str:
        return self.reference
