"""What an account owes and owns: the one row that is locked before units or money move."""

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.prices import CURRENCY, PLACES, ZERO
from koomessage.common.models import TenantOwned, TenantQuerySet


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

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("billing account")
        verbose_name_plural = _("billing accounts")
        default_permissions = ("view",)
        permissions = [("freeze_account", "Can freeze and thaw accounts")]
        constraints = [
            models.UniqueConstraint(fields=["tenant"], name="one_billing_account_a_tenant"),
            models.CheckConstraint(
                condition=models.Q(payg_reserved__gte=0, payg_consumed__gte=0), name="payg_units_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return str(self.tenant)

    @property
    def is_in_arrears(self) -> bool:
        return self.balance < 0
