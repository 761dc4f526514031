"""What so many more mails would cost an account: packages first, the one that ends first in front, then as you go."""

import zoneinfo
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal

from django.db import models
from django.db.models import Sum
from django.utils import timezone

from billing.models import MoneyEntry, Package, PriceTier, UnitEntry
from billing.prices import ZERO, Tier, usage_amount
from billing.queries import account_of, pay_as_you_go_obstacle
from iam.models import Tenant


def month_of(tenant: Tenant, moment: datetime) -> date:
    """Return the first day of the calendar month of the account in which the moment lies."""
    return moment.astimezone(zoneinfo.ZoneInfo(tenant.time_zone)).date().replace(day=1)


def begin_of(tenant: Tenant, day: date) -> datetime:
    """Return the first moment of the account's day, in UTC."""
    return datetime.combine(day, time(), zoneinfo.ZoneInfo(tenant.time_zone)).astimezone(UTC)


def tiers_at(currency: str, moment: datetime) -> list[Tier]:
    """Return the prices in force; empty where the operator has set none in this currency."""
    return list(PriceTier.objects.in_force(currency, moment).values_list("from_units", "price"))


def units_of(rows: models.QuerySet) -> int:
    return int(rows.order_by().aggregate(units=Sum("units"))["units"] or 0)


def unsettled_usage(tenant: Tenant, settled_until: datetime | None) -> models.QuerySet[UnitEntry]:
    """Return the lines of the unit ledger that used mails and are in no settlement yet."""
    rows = UnitEntry.objects.for_tenant(tenant).filter(kind=UnitEntry.Kind.CONSUME)
    return rows.filter(at__gte=settled_until) if settled_until else rows


def settled_units(tenant: Tenant, month: date) -> int:
    """Return how many mails of the account's month are settled as pay-as-you-go."""
    return units_of(MoneyEntry.objects.for_tenant(tenant).filter(kind=MoneyEntry.Kind.USAGE, month=month))


def payg_used_this_month(tenant: Tenant) -> int:
    """Return how many mails count before the next in the account's month: settled or not, and those reserved."""
    account = account_of(tenant)
    month = month_of(tenant, timezone.now())
    waiting = unsettled_usage(tenant, account.usage_settled_until).filter(
        package=None, at__gte=begin_of(tenant, month)
    )
    return settled_units(tenant, month) + units_of(waiting) + account.payg_reserved


def payg_estimate(tenant: Tenant, units: int) -> Decimal | None:
    """Return what so many more mails would cost as you go, by the prices of now; None where there are none.

    An estimate: the settlement rounds each hour by itself, and counts the mails in the order they are used.
    """
    if not units:
        return ZERO
    tiers = tiers_at(account_of(tenant).currency, timezone.now())
    return usage_amount(tiers, units, used_before=payg_used_this_month(tenant)) if tiers else None


def cost_of(tenant: Tenant, units: int) -> list[tuple[Package | None, int, Decimal | None]]:
    """Return what would pay for so many mails if they were reserved now, in this order.

    Each part names its package and costs nothing more; what packages lack comes last, without a package, and costs
    `payg_estimate`. Whether the account may use pay-as-you-go is not asked here.
    """
    parts: list[tuple[Package | None, int, Decimal | None]] = []
    left = units
    for package in Package.objects.for_tenant(tenant).usable(timezone.now()):
        if not left:
            break
        part = min(package.remaining, left)
        parts.append((package, part, ZERO))
        left -= part
    if left:
        parts.append((None, left, payg_estimate(tenant, left)))
    return parts


@dataclass(frozen=True)
class Share:
    """So many mails out of one package."""

    name: str
    expires_at: datetime
    units: int


@dataclass(frozen=True)
class Forecast:
    """Where so many mails would be taken from now, and why they would be refused; nothing is reserved.

    `amount` is what pay-as-you-go would cost about, None where it has no price.
    """

    units: int
    packages: tuple[Share, ...]
    pay_as_you_go: int
    amount: Decimal | None
    currency: str
    refusal: str = ""


def forecast(tenant: Tenant, units: int) -> Forecast:
    """Reckon as `services.reserve_units` reserves: packages first, the one that ends first in front."""
    parts = cost_of(tenant, units)
    shares = tuple(Share(package.label, package.expires_at, part) for package, part, _ in parts if package)
    rest, amount = next(((part, amount) for package, part, amount in parts if not package), (0, ZERO))
    account = account_of(tenant)
    refusal = pay_as_you_go_obstacle(account, rest) if rest else ""
    return Forecast(units, shares, rest, amount, account.currency, refusal)
