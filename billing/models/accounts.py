"""What an account owes and owns: the one row that is locked before units or money move."""

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.prices import CURRENCY, PLACES, ZERO
from koomessage.common.models import TenantOwned, TenantQuerySet


def arrears_grace() -> timedelta:
    """Return how long an account in arrears still sends."""
    return timedelta(hours=settings.ARREARS_GRACE_HOURS)


class AccountQuerySet(TenantQuerySet):
    def suspended(self, now: datetime) -> Self:
        """Keep the accounts that `is_suspended_at` calls so."""
        return self.filter(arrears_since__lte=now - arrears_grace())


class Account(TenantOwned):
    """The sums of a tenant's two ledgers, kept beside them so that no page adds up lines."""

    currency = models.CharField(_("currency"), max_length=3, default=CURRENCY)
    balance = models.DecimalField(_("balance"), max_digits=14, decimal_places=PLACES, default=ZERO)
    payg_reserved = models.BigIntegerField(
        _("pay-as-you-go units reserved"), default=0, validators=[MinValueValidator(0)]
    )
    payg_consumed = models.BigIntegerField(
        _("pay-as-you-go units used"), default=0, validators=[MinValueValidator(0)]
    )

    credit_limit = models.DecimalField(
        _("credit limit"),
        max_digits=14,
        decimal_places=PLACES,
        default=ZERO,
        validators=[MinValueValidator(ZERO)],
    )
    # When the balance fell below what the account may owe; None while it is above.
    arrears_since = models.DateTimeField(_("in arrears since"), null=True, blank=True, editable=False)
    # Up to here all usage is settled; later lines of the unit ledger bear no earlier time.
    usage_settled_until = models.DateTimeField(
        _("usage settled until"), null=True, blank=True, editable=False
    )

    # When the account is told by mail; None: never.
    alert_percent = models.PositiveSmallIntegerField(
        _("share of a package used"),
        default=80,
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    alert_remaining = models.BigIntegerField(
        _("mails remaining"), null=True, blank=True, validators=[MinValueValidator(1)]
    )

    objects = AccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("billing account")
        verbose_name_plural = _("billing accounts")
        default_permissions = ("view", "change")
        permissions = [("freeze_account", "Can freeze and thaw accounts")]
        constraints = [
            models.UniqueConstraint(fields=["tenant"], name="one_billing_account_a_tenant"),
            models.CheckConstraint(
                condition=models.Q(payg_reserved__gte=0, payg_consumed__gte=0), name="payg_units_not_negative"
            ),
            models.CheckConstraint(condition=models.Q(credit_limit__gte=0), name="credit_not_negative"),
        ]
        indexes = [
            models.Index(
                fields=["arrears_since"],
                condition=models.Q(arrears_since__isnull=False),
                name="account_in_arrears",
            )
        ]

    def __str__(self) -> str:
        return str(self.tenant)

    @property
    def is_in_arrears(self) -> bool:
        """True where the account owes more than it may."""
        return self.balance < -self.credit_limit

    @property
    def suspended_from(self) -> datetime | None:
        """When pay-as-you-go stops, or stopped; None for an account that is not in arrears."""
        return self.arrears_since + arrears_grace() if self.arrears_since else None

    def is_suspended_at(self, now: datetime) -> bool:
        """Say whether pay-as-you-go is refused: the account is in arrears, and its grace is over."""
        return self.suspended_from is not None and self.suspended_from <= now
