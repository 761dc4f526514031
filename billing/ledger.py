"""Write the two ledgers: every line, and the sums kept beside it, under the lock of the account."""

from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from billing.models import Account, MoneyEntry, Order, Package, PackageSpec, UnitEntry
from billing.prices import CENT
from iam.models import Tenant
from koomessage.common.errors import RuleViolation

MOST_MONEY = Decimal(10_000_000)


def lock_account(tenant: Tenant) -> Account:
    """Return the tenant's billing row, locked: whoever judges or moves units or money comes here first."""
    locked = Account.objects.select_for_update(of=("self",)).filter(tenant=tenant)
    account = locked.first()
    if account is None:
        # Two first callers at once: one makes the row, the other waits for it.
        Account.objects.get_or_create(tenant=tenant)
        account = locked.get()
    return account


def judge_amount(amount: Decimal) -> None:
    """Raise RuleViolation for what no line of the ledger may hold; the sign is the caller's to judge."""
    if not amount.is_finite() or not 0 < abs(amount) <= MOST_MONEY or amount != amount.quantize(CENT):
        raise RuleViolation(
            _("Enter an amount of whole cents, up to %(most)s.") % {"most": f"{MOST_MONEY:,}"}, field="amount"
        )


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
    change_sum(account, amount, at)
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


def change_sum(account: Account, amount: Decimal, at: datetime) -> None:
    """Bring the balance in step with lines of the ledger, and note when arrears begin or end."""
    # Reckoned here and not in the database: SQLite would do it in floats.
    account.balance += amount
    note_arrears(account, at)
    account.save(update_fields=["balance", "arrears_since"])


def note_arrears(account: Account, at: datetime) -> None:
    account.arrears_since = (account.arrears_since or at) if account.is_in_arrears else None


def add_bought_packages(*, order: Order, spec: PackageSpec, login: str) -> None:
    """Hand over what a paid order holds, in the transaction that paid it."""
    if order.paid_at is None:
        raise ValueError(f"order {order} is not paid")
    for _each in range(order.quantity):
        package = Package(
            tenant=order.tenant,
            name=order.name,
            name_en=order.name_en,
            spec=spec,
            order=order,
            total=order.units,
            expires_at=order.paid_at + timedelta(days=order.valid_days),
        )
        add_package(
            package,
            kind=UnitEntry.Kind.PURCHASE,
            reference=order.number,
            why=f"Order {order.number}",
            login=login,
        )


def add_package(package: Package, *, kind: UnitEntry.Kind, reference: str, why: str, login: str) -> Package:
    package.created_at = timezone.now()
    package.save(force_insert=True)
    UnitEntry.objects.create(
        tenant=package.tenant,
        kind=kind,
        package=package,
        reference=reference,
        units=package.total,
        why=why[:255],
        login=login,
        at=package.created_at,
    )
    return package
