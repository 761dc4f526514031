"""Reads for the pages of billing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from billing import gateway
from billing.models import Account, BankAccount, Order, Package, PackageSpec, Payment, Reservation
from billing.prices import CENT, CURRENCY, ZERO
from iam.models import Tenant


@dataclass(frozen=True)
class PackageLine:
    """A package as tables show it."""

    name: str
    total: int
    used: int
    reserved: int
    remaining: int
    expires_at: datetime
    state: Package.State

    @property
    def is_usable(self) -> bool:
        return self.state == Package.State.USABLE


@dataclass(frozen=True)
class Summary:
    """All packages of an account in one line, and what runs outside of them."""

    usable: int
    remaining: int
    reserved: int
    used: int
    payg_reserved: int
    payg_used: int


def package_lines(packages: Iterable[Package], now: datetime) -> list[PackageLine]:
    return [
        PackageLine(
            row.label, row.total, row.consumed, row.reserved, row.remaining, row.expires_at, row.state_at(now)
        )
        for row in packages
    ]


def overview_packages(tenant: Tenant) -> list[PackageLine]:
    """Return the account's packages for 总览: usable ones first, by the day they end; the newest 20."""
    now = timezone.now()
    recent = Package.objects.for_tenant(tenant).order_by("-expires_at", "-pk")[:20]
    return sorted(package_lines(recent, now), key=lambda line: (not line.is_usable, line.expires_at))


def package_summary(tenant: Tenant) -> Summary:
    usable = Q(expires_at__gt=timezone.now(), total__gt=F("reserved") + F("consumed"))
    sums = Package.objects.for_tenant(tenant).aggregate(
        usable=Count("pk", filter=usable),
        remaining=Sum(F("total") - F("reserved") - F("consumed"), filter=usable),
        reserved=Sum("reserved"),
        used=Sum("consumed"),
    )
    account = account_of(tenant)
    return Summary(
        usable=sums["usable"],
        remaining=sums["remaining"] or 0,
        reserved=sums["reserved"] or 0,
        used=sums["used"] or 0,
        payg_reserved=account.payg_reserved,
        payg_used=account.payg_consumed,
    )


def account_of(tenant: Tenant) -> Account:
    """Return the account's sums; an empty row, not saved, before anything has happened."""
    empty = Account(tenant=tenant, currency=CURRENCY, balance=ZERO)
    return Account.objects.for_tenant(tenant).first() or empty


def balance_of(tenant: Tenant) -> tuple[Decimal, str]:
    account = account_of(tenant)
    return account.balance, account.currency


def offered_specs(tenant: Tenant) -> list[PackageSpec]:
    """Return what this account can buy, in the catalogue's order."""
    return list(PackageSpec.objects.offered().filter(currency=account_of(tenant).currency))


def pay_as_you_go_obstacle(account: Account, units: int) -> str:
    """Return why so many mails beyond the packages are not sent, empty where they are."""
    # Read anew: the caller's row may be older than the operator's decision.
    if not Tenant.objects.filter(pk=account.tenant_id, pay_as_you_go=True).exists():
        sentence = _("The packages lack %(count)s mails and pay-as-you-go is off. Buy a package.")
        return sentence % {"count": units}
    if account.is_suspended_at(timezone.now()):
        return _("The account is in arrears. Top up its balance, or buy a package.")
    return ""


def bank_account(currency: str) -> BankAccount | None:
    return BankAccount.objects.filter(currency=currency, is_used=True).order_by("pk").first()


def order_context(order: Order) -> dict[str, Any]:
    """Return what every page of one order shows of it."""
    status = order.status_at(timezone.now())
    attempts = list(order.payments.order_by("-pk")[:20])
    arrived = sum((row.received for row in attempts if row.received), ZERO)
    return {
        "order": order,
        "status": status,
        "is_open": status in Order.OPEN,
        "bank_account": bank_account(order.currency),
        "payments": attempts,
        "arrived": arrived,
        "rest": max(order.amount - arrived, CENT),
    }


def waiting_payment(order: Order) -> Payment | None:
    return Payment.objects.waiting().filter(order=order).first()


def last_online_payment(order: Order) -> Payment | None:
    return Payment.objects.filter(order=order, method=Order.Method.ONLINE).order_by("-pk").first()


def method_instead(order: Order) -> str:
    """Return what to suggest where the balance is too small: what pays at once, then what takes days."""
    if gateway.is_offered():
        return Order.Method.ONLINE
    return Order.Method.BANK_TRANSFER if bank_account(order.currency) else Order.Method.BALANCE


def unpaid_references() -> QuerySet[Reservation, str]:
    """Return what holds mails as you go for accounts that may not: in arrears, and their grace over."""
    suspended = Account.objects.suspended(timezone.now()).values("tenant")
    held = Reservation.objects.filter(package=None, reserved__gt=F("consumed") + F("released"))
    return held.filter(tenant__in=suspended).values_list("reference", flat=True)
