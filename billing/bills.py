"""账单: what each month cost, in packages bought and in mails used as you go."""

import zoneinfo
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Count, Min, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone

from billing.costs import begin_of, month_of, settled_units, tiers_at, units_of, unsettled_usage
from billing.models import MoneyEntry
from billing.prices import ZERO, cents, usage_amount
from billing.queries import account_of
from iam.models import Tenant


@dataclass
class Bill:
    """A calendar month of the account; final once all that was used in it is charged."""

    month: date
    is_final: bool = True
    orders: int = 0
    bought: Decimal = ZERO
    units: int = 0
    used: Decimal = ZERO

    @property
    def amount(self) -> Decimal:
        return self.bought + self.used

    @property
    def last_day(self) -> date:
        return (self.month + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def bills_of(tenant: Tenant) -> tuple[list[Bill], str]:
    """Return the months in which anything was charged and the current one, newest first, and their currency."""
    account, now = account_of(tenant), timezone.now()
    current = month_of(tenant, now)
    bills: dict[date, Bill] = {current: Bill(current)}
    lines = MoneyEntry.objects.for_tenant(tenant).order_by()
    for month, units, amount in (
        lines.filter(kind=MoneyEntry.Kind.USAGE).values_list("month").annotate(Sum("units"), Sum("amount"))
    ):
        bill = bills.setdefault(month, Bill(month))
        bill.units, bill.used = units, -cents(amount)
    period = TruncMonth("at", tzinfo=zoneinfo.ZoneInfo(tenant.time_zone))
    payments = lines.filter(kind=MoneyEntry.Kind.PAYMENT).annotate(period=period).values_list("period")
    for moment, number, amount in payments.annotate(Count("pk"), Sum("amount")):
        bill = bills.setdefault(moment.date(), Bill(moment.date()))
        bill.orders, bill.bought = number, -cents(amount)
    waiting = unsettled_usage(tenant, account.usage_settled_until).filter(package=None)
    oldest = waiting.aggregate(first=Min("at"))["first"]
    open_from = min(current, month_of(tenant, oldest)) if oldest else current
    for bill in bills.values():
        bill.is_final = bill.month < open_from
    late = units_of(waiting.filter(at__gte=begin_of(tenant, current))) if oldest else 0
    tiers = tiers_at(account.currency, now) if late else []
    if tiers:
        bills[current].used += usage_amount(tiers, late, used_before=settled_units(tenant, current))
        bills[current].units += late
    return [bills[month] for month in sorted(bills, reverse=True)], account.currency
