"""Mails paid ahead, and the ledger of every mail reserved, used and given back."""

from datetime import datetime
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.catalogue import Named, PackageSpec
from billing.models.orders import Order
from koomessage.common.models import TenantOwned, TenantQuerySet


class PackageQuerySet(TenantQuerySet):
    def usable(self, now: datetime) -> Self:
        """Keep the packages that units can be taken from, the one that ends first in front."""
        left = models.Q(total__gt=models.F("reserved") + models.F("consumed"))
        return self.filter(left, expires_at__gt=now).order_by("expires_at", "pk")

    def in_state(self, state: str, now: datetime) -> Self:
        """Keep the packages that `state_at` calls so."""
        if state == Package.State.EXPIRED:
            return self.filter(expires_at__lte=now)
        left = models.Q(total__gt=models.F("reserved") + models.F("consumed"))
        return self.filter(left if state == Package.State.USABLE else ~left, expires_at__gt=now)

    def matching(self, text: str) -> Self:
        """Keep the packages whose name holds the text, in either language."""
        return self.filter(models.Q(name__icontains=text) | models.Q(name_en__icontains=text))


class Package(Named, TenantOwned):
    """So many mails until a day. `reserved` and `consumed` are sums of the ledger."""

    class State(models.TextChoices):
        USABLE = "active", _("Usable")
        USED_UP = "used_up", _("Used up")
        EXPIRED = "expired", _("Expired")

    spec = models.ForeignKey(
        PackageSpec,
        verbose_name=_("package specification"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    order = models.ForeignKey(
        Order,
        verbose_name=_("order"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="packages",
    )
    total = models.BigIntegerField(_("total"))
    reserved = models.BigIntegerField(_("reserved"), default=0)
    consumed = models.BigIntegerField(_("used"), default=0)
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("valid until"))

    objects = PackageQuerySet.as_manager()

    class Meta:
        verbose_name = _("package")
        verbose_name_plural = _("packages")
        default_permissions = ("list", "view", "add", "change")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(reserved__gte=0, consumed__gte=0, total__gte=1),
                name="package_units_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(total__gte=models.F("reserved") + models.F("consumed")),
                name="package_not_overspent",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "expires_at", "id"], name="package_by_expiry")]

    @property
    def remaining(self) -> int:
        """What is neither used nor reserved."""
        return self.total - self.reserved - self.consumed

    def state_at(self, now: datetime) -> "Package.State":
        if self.expires_at <= now:
            return self.State.EXPIRED
        return self.State.USABLE if self.remaining else self.State.USED_UP


class Reservation(TenantOwned):
    """What one reference (a task's code) holds of one package, or of pay-as-you-go where it has none."""

    reference = models.CharField(_("reference"), max_length=32)
    package = models.ForeignKey(
        Package, verbose_name=_("package"), null=True, on_delete=models.PROTECT, related_name="reservations"
    )
    reserved = models.BigIntegerField(_("reserved"), default=0)
    consumed = models.BigIntegerField(_("used"), default=0)
    released = models.BigIntegerField(_("given back"), default=0)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("reservation")
        verbose_name_plural = _("reservations")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "reference", "package"], name="one_reservation_a_package"
            ),
            models.UniqueConstraint(
                fields=["tenant", "reference"],
                condition=models.Q(package=None),
                name="one_pay_as_you_go_reservation",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    consumed__gte=0,
                    released__gte=0,
                    reserved__gte=models.F("consumed") + models.F("released"),
                ),
                name="reservation_not_overspent",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def open(self) -> int:
        """What is still reserved."""
        return self.reserved - self.consumed - self.released


class UnitEntry(TenantOwned):
    """A line of the unit ledger. Database triggers refuse to change or delete it."""

    class Kind(models.TextChoices):
        PURCHASE = "purchase", _("Bought")
        GRANT = "grant", _("Granted")
        RESERVE = "reserve", _("Reserved")
        CONSUME = "consume", _("Used")
        RELEASE = "release", _("Given back")

    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    package = models.ForeignKey(
        Package, verbose_name=_("package"), null=True, on_delete=models.PROTECT, related_name="entries"
    )
    reference = models.CharField(_("reference"), max_length=32, blank=True)
    units = models.BigIntegerField(_("mails"))
    why = models.CharField(_("reason"), max_length=255)
    login = models.CharField(_("by"), max_length=65, blank=True)
    at = models.DateTimeField(_("time"))

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("unit ledger entry")
        verbose_name_plural = _("unit ledger")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=models.Q(units__gt=0), name="unit_entry_has_units"),
            models.CheckConstraint(
                condition=models.Q(kind__in=["reserve", "consume", "release"])
                | models.Q(package__isnull=False),
                name="unit_entry_bought_for_a_package",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "-at", "-id"], name="unit_entry_by_tenant"),
            models.Index(fields=["tenant", "reference"], name="unit_entry_by_reference"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.units}"
