"""Move money: credits by operators. Every change of a balance is a line of the ledger."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.models import Account, MoneyEntry, Order
from billing.prices import CENT, ZERO
from billing.services import lock_account
from iam import audit
from iam.models import Tenant, User
from koomessage.common.errors import RuleViolation

MOST_MONEY = Decimal(10_000_000)


@transaction.atomic
def change_balance(*, tenant: Tenant, amount: Decimal, reason: str, user: User | None) -> MoneyEntry:
    """Credit the balance, or correct it downwards by a negative amount; operators only, always with a reason.

    Raises RuleViolation for no amount, and for a correction of more than the account has.
    """
    if not amount.is_finite() or not 0 < abs(amount) <= MOST_MONEY or amount != amount.quantize(CENT):
        raise RuleViolation(
            _("Enter an amount of whole cents, up to %(most)s.") % {"most": f"{MOST_MONEY:,}"}, field="amount"
        )
    if not reason.strip():
        raise RuleViolation(_("Say why the balance is changed."), field="reason")
    account = lock_account(tenant)
    if account.balance + amount < min(account.balance, ZERO):
        raise RuleViolation(_("The account has less than that."), field="amount")
    kind = MoneyEntry.Kind.CREDIT if amount > 0 else MoneyEntry.Kind.DEBIT
    login = user.login if user else ""
    entry = write_money(account, kind=kind, amount=amount, reason=reason, login=login, at=timezone.now())
    audit.record(tenant=tenant, user=user, action="billing:balance:update", target=str(amount), reason=reason)
    return entry


def write_money(
    account: Account,
    *,
    kind: MoneyEntry.Kind,
    amount: Decimal,
    reason: str,
    login: str,
    at: datetime,
    order: Order | None = None,
) -> MoneyEntry:
    """Write a line and the balance that follows from it; `account` is locked by the caller's transaction."""
    # Reckoned here and not in the database: SQLite would do it in floats.
    account.balance += amount
    account.save(update_fields=["balance"])
    return MoneyEntry.objects.create(
        tenant_id=account.tenant_id,
        kind=kind,
        amount=amount,
        currency=account.currency,
        order=order,
        reason=reason[:255],
        login=login,
        at=at,
    )
