"""What can be bought."""

from decimal import Decimal
from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from billing.prices import CURRENCY, PLACES, unit_price


class Named(models.Model):
    """Something whose name the operator gives in Chinese, and in English where it likes to."""

    name = models.CharField(_("name"), max_length=64)
    name_en = models.CharField(_("name in English"), max_length=64, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name in the reader's language."""
        return self.name_en if self.name_en and (get_language() or "").startswith("en") else self.name


class PackageSpecQuerySet(models.QuerySet):
    def offered(self) -> Self:
        return self.filter(is_offered=True)


class PackageSpec(Named):
    """A line of the catalogue: so many mails for such a price. Orders keep what they were made with."""

    units = models.BigIntegerField(_("mails"), validators=[MinValueValidator(1), MaxValueValidator(10**12)])
    price = models.DecimalField(
        _("price"), max_digits=12, decimal_places=PLACES, validators=[MinValueValidator(Decimal("0.01"))]
    )
    currency = models.CharField(_("currency"), max_length=3, default=CURRENCY)
    valid_days = models.PositiveIntegerField(
        _("days of validity"), default=365, validators=[MinValueValidator(1), MaxValueValidator(3660)]
    )
    most_per_account = models.PositiveIntegerField(
        _("most an account may buy"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Packages in orders that are paid or still open; empty is no limit."),
    )
    is_offered = models.BooleanField(_("on offer"), default=True)
    position = models.PositiveIntegerField(_("position"), default=0)

    objects = PackageSpecQuerySet.as_manager()

    class Meta:
        verbose_name = _("package specification")
        verbose_name_plural = _("package specifications")
        default_permissions = ("view", "add", "change", "delete")
        ordering = ("position", "units", "pk")
        constraints = [
            models.UniqueConstraint(fields=["name"], name="package_spec_name_once"),
            models.CheckConstraint(condition=models.Q(units__gte=1), name="package_spec_has_units"),
            models.CheckConstraint(condition=models.Q(price__gt=0), name="package_spec_has_a_price"),
            models.CheckConstraint(condition=models.Q(valid_days__gte=1), name="package_spec_is_valid_a_day"),
        ]

    @property
    def price_per_mail(self) -> Decimal:
        return unit_price(self.price, self.units)
