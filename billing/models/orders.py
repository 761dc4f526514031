"""云服务订单: what was ordered, at the price it was ordered at."""

from datetime import datetime
from decimal import Decimal
from typing import Self

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from billing.models.catalogue import Named, PackageSpec
from billing.prices import MOST_OF_ONE, PLACES, order_amount, unit_price
from koomessage.common.models import TenantOwned, TenantQuerySet


class OrderQuerySet(TenantQuerySet):
    def overdue(self, now: datetime) -> Self:
        """Keep the orders that nobody paid in time."""
        return self.filter(status__in=Order.OPEN, expires_at__lte=now)

    def holding(self, now: datetime) -> Self:
        """Keep the orders that are paid, or may still be."""
        return self.filter(
            models.Q(status=Order.Status.PAID) | models.Q(status__in=Order.OPEN, expires_at__gt=now)
        )

    def in_status(self, status: str, now: datetime) -> Self:
        """Keep the orders that `status_at` calls so."""
        over = models.Q(status__in=Order.OPEN, expires_at__lte=now)
        if status == Order.Status.EXPIRED:
            return self.filter(models.Q(status=status) | over)
        return self.filter(~over, status=status)


class Order(Named, TenantOwned):
    """An order of one specification; the catalogue may change afterwards, the order does not."""

    class Status(models.TextChoices):
        UNPAID = "unpaid", _("Awaiting payment")
        TRANSFER = "transfer", _("Awaiting bank transfer")
        PAID = "paid", _("Paid")
        CANCELLED = "cancelled", _("Cancelled")
        EXPIRED = "expired", _("Expired")

    class Method(models.TextChoices):
        BALANCE = "balance", _("Account balance")
        BANK_TRANSFER = "bank_transfer", _("Bank transfer")
        ONLINE = "online", _("Online payment")

    OPEN = (Status.UNPAID, Status.TRANSFER)

    number = models.CharField(_("order number"), max_length=16, unique=True)
    token = models.UUIDField(_("form token"))
    spec = models.ForeignKey(
        PackageSpec, verbose_name=_("package specification"), on_delete=models.PROTECT, related_name="+"
    )
    units = models.BigIntegerField(_("mails"))
    price = models.DecimalField(_("price"), max_digits=12, decimal_places=PLACES)
    currency = models.CharField(_("currency"), max_length=3)
    valid_days = models.PositiveIntegerField(_("days of validity"))
    quantity = models.PositiveSmallIntegerField(_("quantity"))
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.UNPAID)
    method = models.CharField(_("payment method"), max_length=16, choices=Method, blank=True)
    ordered_by = models.CharField(_("ordered by"), max_length=65)
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("pay until"))
    paid_at = models.DateTimeField(_("paid"), null=True, blank=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        default_permissions = ("list", "view", "add", "cancel", "pay")
        permissions = [("confirm_transfer", "Can confirm that a bank transfer arrived")]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "token"], name="order_once_a_form"),
            models.CheckConstraint(
                condition=models.Q(quantity__gte=1, quantity__lte=MOST_OF_ONE), name="order_quantity_in_range"
            ),
            models.CheckConstraint(condition=models.Q(price__gt=0), name="order_has_a_price"),
            models.CheckConstraint(
                condition=models.Q(status="paid", paid_at__isnull=False)
                | (~models.Q(status="paid") & models.Q(paid_at=None)),
                name="order_paid_has_its_time",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "-created_at", "-id"], name="order_by_tenant"),
            models.Index(fields=["status", "expires_at"], name="order_by_expiry"),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("billing:order_detail", args=[self.pk])

    @property
    def amount(self) -> Decimal:
        return order_amount(self.price, self.quantity)

    @property
    def price_per_mail(self) -> Decimal:
        return unit_price(self.price, self.units)

    @property
    def all_units(self) -> int:
        return self.units * self.quantity

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN

    def status_at(self, now: datetime) -> "Order.Status":
        """The state at a moment: an order is over when its time is, not when a job notices."""
        over = self.is_open and self.expires_at <= now
        return self.Status.EXPIRED if over else self.Status(self.status)
