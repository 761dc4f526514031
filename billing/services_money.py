"""Move money: credits by operators. Every change of a balance is a line of the ledger."""

import secrets
from decimal import Decimal
from pathlib import PurePath

from django.core.files.base import File
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.ledger import MOST_MONEY, judge_amount, lock_account, note_arrears, write_money
from billing.models import Account, MoneyAttachment, MoneyEntry
from billing.prices import ZERO
from iam import audit
from iam.licences import judge_licence
from iam.models import Tenant, User
from koomessage.common import uploads
from koomessage.common.errors import RuleViolation

MOST_UNITS = 10**12


@transaction.atomic
def change_balance(
    *, tenant: Tenant, amount: Decimal, reason: str, user: User | None, attachment: File | None = None
) -> MoneyEntry:
    """Credit the balance, or correct it downwards by a negative amount; operators only, always with a reason.

    Raises RuleViolation for no amount, for a correction of more than the account has, and for an attachment that is
    no picture and no PDF file of up to 5 MB.
    """
    judge_amount(amount)
    kind_of_file = judge_licence(attachment, field="attachment") if attachment else ""
    if not reason.strip():
        raise RuleViolation(_("Say why the balance is changed."), field="reason")
    account = lock_account(tenant)
    if account.balance + amount < min(account.balance, ZERO):
        raise RuleViolation(_("The account has less than that."), field="amount")
    kind = MoneyEntry.Kind.CREDIT if amount > 0 else MoneyEntry.Kind.DEBIT
    login = user.login if user else ""
    entry = write_money(account, kind=kind, amount=amount, reason=reason, login=login, at=timezone.now())
    audit.record(
        tenant=tenant,
        user=user,
        action="billing:balance:update",
        target=str(amount),
        reason=reason,
        attachment=(attachment.name or "")[:255] if attachment else "",
    )
    if attachment:
        _attach(entry, attachment, kind_of_file)
    return entry


@transaction.atomic
def set_credit_limit(*, tenant: Tenant, credit_limit: Decimal, user: User) -> Account:
    """Let the account owe so much before it is in arrears; operators only."""
    if not credit_limit.is_finite() or not 0 <= credit_limit <= MOST_MONEY:
        raise RuleViolation(
            _("Enter an amount of whole cents, up to %(most)s.") % {"most": f"{MOST_MONEY:,}"},
            field="credit_limit",
        )
    account = lock_account(tenant)
    account.credit_limit = credit_limit
    note_arrears(account, timezone.now())
    account.save(update_fields=["credit_limit", "arrears_since"])
    audit.record(tenant=tenant, user=user, action="billing:credit:update", target=str(credit_limit))
    return account


@transaction.atomic
def set_alerts(*, tenant: Tenant, user: User, percent: int | None, remaining: int | None) -> Account:
    """Choose when the account is told by mail that its packages run out; None is never."""
    if percent is not None and not 1 <= percent <= 100:
        raise RuleViolation(_("Enter a share from 1 to 100."), field="percent")
    if remaining is not None and not 1 <= remaining <= MOST_UNITS:
        raise RuleViolation(_("Enter a number of mails above 0."), field="remaining")
    account = lock_account(tenant)
    account.alert_percent, account.alert_remaining = percent, remaining
    account.save(update_fields=["alert_percent", "alert_remaining"])
    audit.record(
        tenant=tenant, user=user, action="kooMessage:package:update", target=f"{percent} {remaining}"
    )
    return account


def _attach(entry: MoneyEntry, attachment: File, kind: str) -> None:
    """Keep the file under a name of our own; last of all, so that what is stored is named by a row."""
    row = MoneyAttachment(
        entry=entry,
        name=PurePath(attachment.name or "").name[:255],
        kind=kind,
        size=attachment.size,
    )
    uploads.store(row.file, f"{secrets.token_hex(16)}.{kind}", attachment, field="attachment")
    try:
        row.save(force_insert=True)
    except BaseException:
        uploads.discard(row.file)
        raise
