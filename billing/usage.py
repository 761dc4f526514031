"""用量: what an account used, by day or month and by what paid for it. Reads the hours' sums, not the ledger."""

import zoneinfo
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncDay, TruncMonth
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.costs import begin_of, month_of, settled_units, tiers_at, unsettled_usage
from billing.models import HourUsage, MoneyEntry, Package
from billing.prices import ZERO, cents, usage_amount
from billing.queries import account_of
from iam.models import Tenant

# A longer range is shown by the month.
MOST_DAYS = 62
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """Whole days of the account's calendar, both inclusive."""

    tenant: Tenant
    first: date
    last: date

    @property
    def start(self) -> datetime:
        return begin_of(self.tenant, self.first)

    @property
    def end(self) -> datetime:
        return begin_of(self.tenant, self.last + DAY)

    @property
    def is_long(self) -> bool:
        return (self.last - self.first).days >= MOST_DAYS


@dataclass
class Row:
    """A day or a month."""

    label: str
    packages: int = 0
    as_you_go: int = 0
    amount: Decimal = ZERO

    @property
    def units(self) -> int:
        return self.packages + self.as_you_go


@dataclass
class Source:
    """A package, or pay-as-you-go: what it paid for."""

    package: Package | None
    units: int = 0
    amount: Decimal | None = None


@dataclass
class Usage:
    """Rows from the newest on, their total, what paid for them, and how much of it is not charged yet."""

    rows: list[Row]
    total: Row
    sources: list[Source]
    currency: str
    waiting: int = 0
    estimate: Decimal | None = None
    chart: dict[str, Any] = field(default_factory=dict)


def usage_of(span: Span, *, by_day: bool = False) -> Usage:
    """Add up a range: by the day where it is short or that is asked for, else by the month."""
    months = span.is_long and not by_day
    zone = zoneinfo.ZoneInfo(span.tenant.time_zone)
    period = TruncMonth if months else TruncDay
    account = account_of(span.tenant)
    rows = {} if months else _days(span)
    used: dict[int | None, int] = {}

    def row(moment: datetime) -> Row:
        label = moment.strftime("%Y-%m" if months else "%Y-%m-%d")
        return rows.setdefault(label, Row(label))

    waiting = unsettled_usage(span.tenant, account.usage_settled_until).filter(
        at__gte=span.start, at__lt=span.end
    )
    settled = HourUsage.objects.for_tenant(span.tenant).filter(hour__gte=span.start, hour__lt=span.end)
    late = 0
    for lines, column in ((settled, "hour"), (waiting, "at")):
        for moment, package, units in _sums(lines, period(column, tzinfo=zone)):
            used[package] = used.get(package, 0) + units
            if package:
                row(moment).packages += units
            else:
                row(moment).as_you_go += units
                late += units if column == "at" else 0
    charged = MoneyEntry.objects.for_tenant(span.tenant).filter(hour__gte=span.start, hour__lt=span.end)
    for moment, amount in (
        charged.order_by()
        .annotate(period=period("hour", tzinfo=zone))
        .values_list("period")
        .annotate(Sum("amount"))
    ):
        row(moment).amount = -cents(amount)
    ordered = [rows[label] for label in sorted(rows, reverse=True)]
    total = Row(
        _("Total"),
        sum(r.packages for r in ordered),
        sum(r.as_you_go for r in ordered),
        sum((r.amount for r in ordered), ZERO),
    )
    return Usage(
        rows=ordered,
        total=total,
        sources=_sources(used, total.amount),
        currency=account.currency,
        waiting=late,
        estimate=_estimate(span.tenant, account.currency, late),
        chart=_chart(ordered),
    )


def _days(span: Span) -> dict[str, Row]:
    """Every day of the range, so that the chart has no gaps."""
    days = (span.first + DAY * number for number in range((span.last - span.first).days + 1))
    return {str(day): Row(str(day)) for day in days}


def _sums(lines: QuerySet[Any], period: Any) -> QuerySet[Any, tuple[datetime, int | None, int]]:
    grouped = lines.order_by().annotate(period=period).values_list("period", "package_id")
    return grouped.annotate(used=Sum("units"))


def _sources(used: dict[int | None, int], amount: Decimal) -> list[Source]:
    """Return what paid, the most used package first and pay-as-you-go last."""
    packages = Package.objects.in_bulk([key for key in used if key])
    found = [Source(packages[key], units) for key, units in used.items() if key]
    found.sort(key=lambda source: -source.units)
    return [*found, Source(None, used[None], amount)] if None in used else found


def _estimate(tenant: Tenant, currency: str, units: int) -> Decimal | None:
    """Return what the mails that are not charged yet will come to, give or take a cent an hour."""
    now = timezone.now()
    tiers = tiers_at(currency, now)
    if not units or not tiers:
        return None
    return usage_amount(tiers, units, used_before=settled_units(tenant, month_of(tenant, now)))


def _chart(rows: list[Row]) -> dict[str, Any]:
    shown = rows[::-1]
    return {
        "labels": [row.label for row in shown],
        "series": [
            {"name": _("From packages"), "tone": "success", "values": [row.packages for row in shown]},
            {"name": _("As you go"), "tone": "warning", "values": [row.as_you_go for row in shown]},
        ],
    }
