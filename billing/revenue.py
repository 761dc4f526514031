"""Revenue and usage by month, from the lines of the two ledgers."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from io import StringIO

from django.db.models import Sum
from django.db.models.functions import TruncMonth

from billing.models import MoneyEntry, UnitEntry
from billing.prices import CENT, ZERO

UNITS = (UnitEntry.Kind.PURCHASE, UnitEntry.Kind.GRANT, UnitEntry.Kind.CONSUME)
MOST_MONTHS = 36


@dataclass
class Month:
    """What happened in a month in one currency: sums of the money ledger by kind, units of all accounts."""

    month: datetime
    currency: str
    money: dict[str, Decimal] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=dict)

    @property
    def cells(self) -> list[Decimal | int]:
        """Every sum, in the order of `titles`."""
        money = (self.money.get(kind, ZERO) for kind in MoneyEntry.Kind)
        return [*money, *(self.units.get(kind, 0) for kind in UNITS)]


def titles() -> list[str]:
    return [str(kind.label) for kind in MoneyEntry.Kind] + [str(kind.label) for kind in UNITS]


def by_month() -> list[Month]:
    """Return the latest months, newest first; two queries whatever the number of lines."""
    months: dict[tuple[datetime, str], Month] = {}
    for month, currency, kind, total in _money():
        months.setdefault((month, currency), Month(month, currency)).money[kind] = total.quantize(CENT)
    for month, kind, count in _units():
        of_month = [row for (at, _), row in months.items() if at == month] or [
            months.setdefault((month, ""), Month(month, ""))
        ]
        of_month[0].units[kind] = count
    return sorted(months.values(), key=lambda row: (row.month, row.currency), reverse=True)[:MOST_MONTHS]


def _money() -> Iterator[tuple[datetime, str, str, Decimal]]:
    # A line of usage has a month of its own, the account's; this is the platform's.
    rows = MoneyEntry.objects.order_by().annotate(booked=TruncMonth("at"))
    yield from (
        rows.values("booked", "currency", "kind")
        .annotate(total=Sum("amount"))
        .values_list("booked", "currency", "kind", "total")
    )


def _units() -> Iterator[tuple[datetime, str, int]]:
    rows = UnitEntry.objects.filter(kind__in=UNITS).order_by().annotate(month=TruncMonth("at"))
    yield from rows.values("month", "kind").annotate(total=Sum("units")).values_list("month", "kind", "total")


def as_csv(months: list[Month], heads: list[str]) -> str:
    """Write the months as a file that spreadsheets read; every cell is a date, a currency or a number."""
    page = StringIO()
    page.write("\ufeff")
    book = csv.writer(page)
    book.writerow(["month", "currency", *heads])
    book.writerows([f"{row.month:%Y-%m}", row.currency, *row.cells] for row in months)
    return page.getvalue()
