"""What 统计报表 shows: sums of hourly counts, by hour, day or month."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import add
from types import MappingProxyType
from typing import Any, TypeVar

from django.db.models import BigIntegerField, Count, Q, Sum
from django.db.models.functions import Coalesce

from email_service.addresses.models import Address
from email_service.domains.models import Domain
from email_service.reports.hours import Seconds, UtcHour, moment_of
from email_service.reports.models import COUNTS, HourTotal, Report
from email_service.reports.periods import Span
from email_service.send_details.filters import tasks_matching
from email_service.send_details.models import ClosedEvent, Event
from email_service.send_tasks.models import Task
from email_service.send_tasks.models_workers import Heartbeat
from email_service.send_tasks.queries import sendable_templates
from iam.models import Tenant

Wanted = Mapping[str, Any]
ALL: Wanted = MappingProxyType({})
HEARTBEAT = "reports"


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
    # The first that was counted, UTC; None of a sum.
    hour: datetime | None = field(default=None, kw_only=True)

    @property
    def sent(self) -> int:
        return self.succeeded + self.failed + self.pending + self.rejected

    @property
    def rate(self) -> str:
        return percent(self.succeeded, self.sent)

    @property
    def percentage(self) -> float | None:
        """The rate as the chart draws it; None where nothing was sent."""
        return round(100 * self.succeeded / self.sent, 2) if self.sent else None

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
    hour: datetime | None = field(default=None, kw_only=True)

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


def sending(tenant: Tenant, span: Span, wanted: Wanted = ALL) -> list[Sending]:
    """Return the periods in which messages were accepted, oldest first; `wanted` as in `tasks_matching`."""
    sums = _summed(span, _hours(tenant, span, wanted))
    # An hour whose messages were all cancelled has nothing to show.
    return [Sending(label, *counts, hour=hour) for label, (hour, counts) in sums if any(counts)]


def _hours(tenant: Tenant, span: Span, wanted: Wanted) -> Iterable[tuple[Any, ...]]:
    """Yield (hour in seconds, counts …) of the tasks wanted: added up, or the others taken off the total.

    Whichever is shorter, and one statement either way, so that no count can come between.
    """
    within: dict[str, Any] = {"hour__gte": span.start, "hour__lt": span.end}
    totals = HourTotal.objects.for_tenant(tenant).filter(**within).values_list(Seconds("hour"), *COUNTS)
    if not wanted:
        return totals
    tasks = Task.objects.for_tenant(tenant).order_by()
    chosen = tasks_matching(tenant, wanted)
    reports = Report.objects.for_tenant(tenant).filter(**within).order_by().values_list(Seconds("hour"))
    if 2 * chosen.count() <= tasks.count():
        return reports.filter(task__in=chosen.values("pk")).annotate(*(Sum(name) for name in COUNTS))
    others = tasks.exclude(pk__in=chosen.values("pk"))
    rest = reports.filter(task__in=others.values("pk")).annotate(
        **{f"less_{name}": -Sum(name) for name in COUNTS}
    )
    return totals.union(rest, all=True)


def reception(tenant: Tenant, span: Span, wanted: Wanted = ALL) -> list[Reception]:
    """Return the periods in which mail was delivered or somebody unsubscribed, oldest first."""
    delivered = Q(kind=Event.Kind.ENDED, detail__status="delivered")
    unsubscribed = Q(kind=Event.Kind.UNSUBSCRIBED)
    events = Event.objects.filter(
        delivered | unsubscribed, tenant=tenant, at__gte=span.start, at__lt=span.end
    )
    removed = ClosedEvent.objects.filter(tenant=tenant, hour__gte=span.start, hour__lt=span.end)
    if wanted:
        tasks = tasks_matching(tenant, wanted).values("pk")
        events, removed = events.filter(message__task__in=tasks), removed.filter(task__in=tasks)
    hours = (
        events.order_by()
        .annotate(hour=UtcHour("at"))
        .values_list("hour")
        .annotate(took=Count("pk", filter=delivered), left=Count("pk", filter=unsubscribed))
    )
    # What is kept of removed messages; in one statement, so that none is counted twice while they are removed.
    kept = (
        removed.order_by()
        .annotate(at_hour=UtcHour("hour"))
        .values_list("at_hour")
        .annotate(took=_number(ClosedEvent.Kind.DELIVERED), left=_number(ClosedEvent.Kind.UNSUBSCRIBED))
    )
    sums = _summed(
        span, ((moment_of(hour).timestamp(), *counts) for hour, *counts in hours.union(kept, all=True))
    )
    return [Reception(label, *counts, hour=hour) for label, (hour, counts) in sums]


def _number(kind: str) -> Coalesce:
    return Coalesce(Sum("number", filter=Q(kind=kind)), 0, output_field=BigIntegerField())


def refreshed_at() -> datetime | None:
    """Return when no marked hour was left the last time: what the figures shown are from."""
    return Heartbeat.objects.filter(name=HEARTBEAT).values_list("at", flat=True).first()


@dataclass(frozen=True)
class Proposals:
    """What filter fields propose: (value, label) of what the account has, the newest first."""

    domains: list[tuple[str, str]]
    senders: list[tuple[str, str]]
    templates: list[tuple[str, str]]
    tasks: list[tuple[str, str]]

    MOST = 200


def proposals(tenant: Tenant) -> Proposals:
    most = Proposals.MOST
    domains = Domain.objects.for_tenant(tenant).order_by("name")
    senders = Address.objects.for_tenant(tenant).order_by("-pk")[:most]
    templates = sendable_templates(tenant).values_list("code", "title")[:most]
    tasks = Task.objects.for_tenant(tenant).order_by("-created_at", "-pk").values_list("code", "name")[:most]
    return Proposals(
        list(domains.values_list("name", "display_name")),
        list(senders.values_list("address", "alias")),
        list(templates),
        list(tasks),
    )


def _summed(span: Span, hours: Iterable[tuple[Any, ...]]) -> list[tuple[str, tuple[datetime, list[int]]]]:
    """Add up the hours' counts (hour in seconds, count, …) by the period they begin in; in the periods' order."""
    beginnings = span.beginnings()
    seconds = [moment.timestamp() for moment in beginnings]
    sums: dict[int, list[int]] = {}
    for hour, *counts in hours:
        place = bisect_right(seconds, hour) - 1
        before = sums.get(place)
        sums[place] = counts if before is None else list(map(add, before, counts))
    return [
        (span.label(beginnings[place]), (beginnings[place], counts)) for place, counts in sorted(sums.items())
    ]


def total(rows: Sequence[Row], empty: Row) -> Row:
    """Add all the rows up; `empty` gives the kind of row and its label."""
    sums = [sum(column) for column in zip(*(row.points for row in rows), strict=True)]
    return type(empty)(empty.label, *sums)
