"""Move money: credits by operators. Every change of a balance is a line of the ledger."""

from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.ledger import judge_amount, lock_account, write_money
from billing.models import MoneyEntry
from billing.prices import ZERO
from iam import audit
from iam.models import Tenant, User
from koomessage.common.errors import RuleViolation


@transaction.atomic
def change_balance(*, tenant: Tenant, amount: Decimal, reason: str, user: User | None) -> MoneyEntry:
    """Credit the balance, or correct it downwards by a negative amount; operators only, always with a reason.

    Raises RuleViolation for no amount, and for a correction of more than the account has.
    """
    judge_amount(amount)
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
