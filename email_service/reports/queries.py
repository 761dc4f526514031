"""What 统计报表 shows: sums of hourly counts, by hour, day or month."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Count, Q, Sum

from email_service.reports.hours import UtcHour, moment_of
from email_service.reports.models import Report
from email_service.reports.periods import Span
from email_service.send_details.models import Event
from iam.models import Tenant


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f}%" if whole else "—"


@dataclass(frozen=True)
class Sending:
    """What became of the messages accepted in a period."""

    label: str
    succeeded: int = 0
    failed: int = 0
    pending: int = 0
    rejected: int = 0

    @property
    def sent(self) -> int:
        return self.succeeded + self.failed + self.pending + self.rejected

    @property
    def rate(self) -> str:
        return percent(self.succeeded, self.sent)

    @property
    def cells(self) -> tuple[str | int, ...]:
        """The row as table and export show it."""
        return (
            self.label, self.sent, self.succeeded, self.failed, self.pending, self.rejected, self.rate
        )  # fmt: skip

    @property
    def points(self) -> tuple[int, ...]:
        """The row as the chart shows it."""
        return self.succeeded, self.failed, self.pending, self.rejected


@dataclass(frozen=True)
class Reception:
    """What happened in a period, whenever the messages had been accepted."""

    label: str
    delivered: int = 0
    unsubscribed: int = 0

    @property
    def rate(self) -> str:
        return percent(self.unsubscribed, self.delivered)

    @property
    def cells(self) -> tuple[str | int, ...]:
        return self.label, self.delivered, self.unsubscribed, self.rate

    @property
    def points(self) -> tuple[int, ...]:
        return self.delivered, self.unsubscribed


Row = TypeVar("Row", Sending, Reception)


def sending(tenant: Tenant, span: Span) -> list[Sending]:
    """Return the periods in which messages were accepted, oldest first."""
    hours = (
        Report.objects.for_tenant(tenant)
        .filter(hour__gte=span.start, hour__lt=span.end)
        .order_by()
        .values_list("hour")
        .annotate(Sum("succeeded"), Sum("failed"), Sum("pending"), Sum("rejected"))
    )
    sums = _summed(span, hours)
    # An hour whose messages were all cancelled has nothing to show.
    return [Sending(label, *sums[label]) for label in sorted(sums) if any(sums[label])]


def reception(tenant: Tenant, span: Span) -> list[Reception]:
    """Return the periods in which mail was delivered or somebody unsubscribed, oldest first."""
    delivered = Q(kind=Event.Kind.ENDED, detail__status="delivered")
    unsubscribed = Q(kind=Event.Kind.UNSUBSCRIBED)
    hours = (
        Event.objects.filter(delivered | unsubscribed, tenant=tenant, at__gte=span.start, at__lt=span.end)
        .order_by()
        .annotate(hour=UtcHour("at"))
        .values_list("hour")
        .annotate(took=Count("pk", filter=delivered), left=Count("pk", filter=unsubscribed))
    )
    sums = _summed(span, ((moment_of(hour), *counts) for hour, *counts in hours))
    return [Reception(label, *sums[label]) for label in sorted(sums)]


def _summed(span: Span, hours: Iterable[tuple[Any, ...]]) -> dict[str, list[int]]:
    """Add up the hours' counts (hour, count, …) by the period they begin in."""
    sums: dict[str, list[int]] = {}
    for hour, *counts in hours:
        label = span.label(hour)
        before = sums.get(label, [0] * len(counts))
        sums[label] = [one + other for one, other in zip(before, counts, strict=True)]
    return sums


def total(rows: Sequence[Row], empty: Row) -> Row:
    """Add all the rows up; `empty` gives the kind of row and its label."""
    sums = [sum(column) for column in zip(*(row.points for row in rows), strict=True)]
    return type(empty)(empty.label, *sums)
