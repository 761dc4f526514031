"""Prove that every settled hour holds, and is charged for, exactly what the unit ledger says was used in it."""

import heapq
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby

from django.db.models import BigIntegerField, F, OuterRef, Subquery, Sum, Value
from django.db.models.functions import Cast, Coalesce, TruncHour

from billing.models import Account, HourUsage, MoneyEntry, UnitEntry

# Account, hour, package (0: as you go), and the mails of either side.
Line = tuple[int, datetime, int, int, int]


def problems() -> Iterator[str]:
    """Yield a sentence for each hour whose sums differ; both sides are read in one order, never kept."""
    for tenant, hour, package, used, settled in _differences(_ledger(), _settled()):
        what = f"package {package}" if package else "pay-as-you-go"
        yield (
            f"Account {tenant}: {settled} mails of {what} are settled for {hour:%Y-%m-%d %H:%M}, "
            f"the ledger says {used}."
        )
    for tenant, hour, _, used, charged in _differences(_as_you_go(), _charged()):
        yield f"Account {tenant}: {charged} mails are charged for {hour:%Y-%m-%d %H:%M}, {used} were used as you go."


def _differences(left: Iterable[Line], right: Iterable[Line]) -> Iterator[Line]:
    for key, lines in groupby(heapq.merge(left, right, key=_key), key=_key):
        sums = [sum(column) for column in zip(*(line[3:] for line in lines), strict=True)]
        if sums[0] != sums[1]:
            yield (*key, sums[0], sums[1])


def _key(line: Line) -> tuple[int, datetime, int]:
    return line[:3]


_PACKAGE = Coalesce("package_id", 0, output_field=BigIntegerField())
_NOTHING = Cast(Value(0), BigIntegerField())


def _ledger() -> Iterator[Line]:
    until = Account.objects.filter(tenant=OuterRef("tenant")).values("usage_settled_until")[:1]
    rows = UnitEntry.objects.filter(kind=UnitEntry.Kind.CONSUME).annotate(until=Subquery(until))
    settled = (
        rows.filter(at__lt=F("until")).order_by().annotate(hour=TruncHour("at", tzinfo=UTC), source=_PACKAGE)
    )
    sums = settled.values_list("tenant_id", "hour", "source").annotate(used=Sum("units"), other=_NOTHING)
    return sums.order_by("tenant_id", "hour", "source").iterator()


def _settled() -> Iterator[Line]:
    rows = HourUsage.objects.annotate(source=_PACKAGE, other=_NOTHING).order_by("tenant_id", "hour", "source")
    return rows.values_list("tenant_id", "hour", "source", "other", "units").iterator()


def _as_you_go() -> Iterator[Line]:
    rows = HourUsage.objects.filter(package=None).annotate(source=_PACKAGE, other=_NOTHING)
    return (
        rows.order_by("tenant_id", "hour")
        .values_list("tenant_id", "hour", "source", "units", "other")
        .iterator()
    )


def _charged() -> Iterator[Line]:
    rows = MoneyEntry.objects.filter(kind=MoneyEntry.Kind.USAGE).annotate(source=_NOTHING, other=_NOTHING)
    return (
        rows.order_by("tenant_id", "hour")  # type: ignore[return-value]
        .values_list("tenant_id", "hour", "source", "other", "units")
        .iterator()
    )
