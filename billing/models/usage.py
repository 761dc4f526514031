"""Pay-as-you-go: what a mail costs from which month's count on, and how many were used in which hour."""

from datetime import datetime
from typing import Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from billing.models.units import Package
from billing.prices import CURRENCY, MAIL_PLACES, ZERO
from koomessage.common.models import TenantOwned, TenantQuerySet


class PriceTierQuerySet(models.QuerySet):
    def in_force(self, currency: str, moment: datetime) -> Self:
        """Keep the tiers of the version that is in force at the moment; the lowest first."""
        begun = self.filter(currency=currency, valid_from__lte=moment)
        newest = begun.order_by("-valid_from").values("valid_from")[:1]
        return begun.filter(valid_from=newest).order_by("from_units")


class PriceTier(models.Model):
    """What each mail beyond so many of a month costs. The tiers that begin at one moment are one version."""

    currency = models.CharField(_("currency"), max_length=3, default=CURRENCY)
    valid_from = models.DateTimeField(_("valid from"))
    from_units = models.BigIntegerField(
        _("beyond so many mails a month"), validators=[MinValueValidator(0), MaxValueValidator(10**12)]
    )
    price = models.DecimalField(
        _("price a mail"), max_digits=8, decimal_places=MAIL_PLACES, validators=[MinValueValidator(ZERO)]
    )

    objects = PriceTierQuerySet.as_manager()

    class Meta:
        verbose_name = _("pay-as-you-go price")
        verbose_name_plural = _("pay-as-you-go prices")
        default_permissions = ("view", "add", "change", "delete")
        ordering = ("currency", "-valid_from", "from_units")
        constraints = [
            models.UniqueConstraint(fields=["currency", "valid_from", "from_units"], name="price_tier_once"),
            models.CheckConstraint(
                condition=models.Q(from_units__gte=0, price__gte=0), name="price_tier_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.price} {self.currency} > {self.from_units:,}"

    def clean(self) -> None:
        """What is in force has been charged: it stays as it is, and a new price begins in the future."""
        if self.valid_from is None or self.valid_from > timezone.now():
            return
        stored = PriceTier.objects.filter(
            currency=self.currency, valid_from=self.valid_from, from_units=self.from_units
        ).first()
        if stored is None or stored.price != self.price or (self.pk and stored.pk != self.pk):
            raise ValidationError(
                {"valid_from": _("Prices in force are not changed. Add new ones that begin in the future.")}
            )

    def is_in_force_at(self, moment: datetime) -> bool:
        """Say whether something may have been charged by it."""
        return self.valid_from <= moment


class HourUsage(TenantOwned):
    """How many mails an account used in an hour, from one package or as you go: sums of the ledger, made when
    the hour is settled."""

    hour = models.DateTimeField(_("hour"))
    package = models.ForeignKey(
        Package, verbose_name=_("package"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    units = models.BigIntegerField(_("mails"))

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("usage of an hour")
        verbose_name_plural = _("usage by the hour")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["tenant", "hour", "package"], name="usage_once_a_package"),
            models.UniqueConstraint(
                fields=["tenant", "hour"], condition=models.Q(package=None), name="usage_once_as_you_go"
            ),
            models.CheckConstraint(condition=models.Q(units__gt=0), name="usage_has_units"),
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H:00} {self.units}"
