"""The ledger of every amount that came in or went out."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.orders import Order
from billing.prices import CURRENCY, PLACES
from koomessage.common.models import TenantOwned, TenantQuerySet


class MoneyEntry(TenantOwned):
    """A line of the money ledger: positive in, negative out. Triggers refuse to change or delete it."""

    class Kind(models.TextChoices):
        CREDIT = "credit", _("Credit by the operator")
        DEBIT = "debit", _("Correction by the operator")
        TRANSFER = "transfer", _("Bank transfer received")
        ONLINE = "online", _("Online payment received")
        PAYMENT = "payment", _("Payment of an order")
        USAGE = "usage", _("Pay-as-you-go usage")

    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=PLACES)
    currency = models.CharField(_("currency"), max_length=3)
    order = models.ForeignKey(
        Order, verbose_name=_("order"), null=True, blank=True, on_delete=models.PROTECT, related_name="money"
    )
    reason = models.CharField(_("reason"), max_length=255)
    login = models.CharField(_("by"), max_length=65, blank=True)
    at = models.DateTimeField(_("time"))
    # Of a usage line alone: which hour it settles, the account's month that hour belongs to, how many mails,
    # and since when the prices were valid by which they were charged.
    hour = models.DateTimeField(_("hour"), null=True, editable=False)
    month = models.DateField(_("month"), null=True, editable=False)
    units = models.BigIntegerField(_("mails"), null=True, editable=False)
    priced_from = models.DateTimeField(_("prices valid from"), null=True, editable=False)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("money ledger entry")
        verbose_name_plural = _("money ledger")
        default_permissions = ("view", "add")
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=models.Q(kind="payment"), name="one_payment_an_order"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["credit", "transfer", "online"], amount__gt=0)
                | models.Q(kind__in=["debit", "payment"], amount__lt=0)
                | models.Q(kind="usage", amount__lte=0),
                name="money_entry_has_its_sign",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["credit", "debit", "usage"], order=None)
                | models.Q(kind__in=["transfer", "online", "payment"], order__isnull=False),
                name="money_entry_of_an_order",
            ),
            models.UniqueConstraint(fields=["tenant", "hour"], name="usage_settled_once_an_hour"),
            models.CheckConstraint(
                condition=models.Q(
                    kind="usage",
                    hour__isnull=False,
                    month__isnull=False,
                    units__gt=0,
                    priced_from__isnull=False,
                )
                | (~models.Q(kind="usage") & models.Q(hour=None, month=None, units=None, priced_from=None)),
                name="money_entry_of_an_hour",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "-at", "-id"], name="money_entry_by_tenant")]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} {self.currency}"


class BankAccount(models.Model):
    """Where bank transfers go, as the operator enters it; without one, transfer is not offered."""

    holder = models.CharField(_("account holder"), max_length=128)
    bank = models.CharField(_("bank"), max_length=128)
    number = models.CharField(_("account number"), max_length=64)
    currency = models.CharField(_("currency"), max_length=3, default=CURRENCY)
    is_used = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("bank account")
        verbose_name_plural = _("bank accounts")
        constraints = [models.UniqueConstraint(fields=["bank", "number"], name="bank_account_once")]

    def __str__(self) -> str:
        return f"{self.bank} {self.number}"
