"""All reports counted anew, where somebody doubts them: task by task, beside sending."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone

from email_service.reports.aggregation import COLUMN_OF, add_up
from email_service.reports.hours import UtcHour, moment_of
from email_service.reports.models import COUNTS, HourTotal, Report
from email_service.send_details import closing
from email_service.send_details.models import DirtyHour, Message
from email_service.send_tasks.models import Task
from iam.models import Tenant

TASKS_AT_ONCE = 200
_Place = tuple[int, datetime]
_NOTHING = dict.fromkeys(COUNTS, 0)


@dataclass(frozen=True, slots=True)
class Difference:
    """An hour of a task that showed something else; `was_waiting` where it was marked to be counted anyway."""

    task_id: int
    hour: datetime
    shown: dict[str, int]
    counted: dict[str, int]
    was_waiting: bool


def rebuild(
    *, tenant: Tenant | None = None, start: datetime | None = None, end: datetime | None = None
) -> Iterator[Difference]:
    """Count the hours from `start` on and before `end` anew, and yield those that were wrong, now right."""
    tasks = Task.objects.order_by("pk").values_list("pk", flat=True)
    if tenant is not None:
        tasks = tasks.filter(tenant=tenant)
    last = 0
    while found := list(tasks.filter(pk__gt=last)[:TASKS_AT_ONCE]):
        last = found[-1]
        yield from _rebuild(found, start, end)
    _add_up_again(tenant, start, end)


@transaction.atomic
def _rebuild(tasks: Collection[int], start: datetime | None, end: datetime | None) -> list[Difference]:
    """Look first, then count what differs again under the locks that `recount` takes: the later count stands."""
    shown, counted = _shown(tasks, start, end), _counted(tasks, start, end)
    wrong = {
        place
        for place in shown.keys() | counted.keys()
        if shown.get(place, _NOTHING) != counted.get(place, _NOTHING)
    }
    if not wrong:
        return []
    now = timezone.now()
    tenants = dict(Task.objects.filter(pk__in={task for task, _ in wrong}).values_list("pk", "tenant_id"))
    Report.objects.bulk_create(
        [
            Report(tenant_id=tenants[task], task_id=task, hour=hour, updated_at=now)
            for task, hour in sorted(wrong)
        ],
        ignore_conflicts=True,
        batch_size=500,
    )
    locked = Report.objects.filter(task__in=tenants, hour__in={hour for _, hour in wrong})
    rows = [row for row in locked.order_by("pk").select_for_update() if (row.task_id, row.hour) in wrong]
    waiting = set(DirtyHour.objects.filter(task__in=tenants).values_list("task_id", "hour"))
    counted = _counted(tenants, start, end)
    for row in rows:
        row.updated_at = now
        for column, figure in counted.get((row.task_id, row.hour), _NOTHING).items():
            setattr(row, column, figure)
    Report.objects.bulk_update(rows, [*COUNTS, "updated_at"], batch_size=500)
    for tenant_id, hour in sorted({(row.tenant_id, row.hour) for row in rows}):
        add_up(tenant_id, hour)
    return [
        Difference(*place, shown.get(place, _NOTHING), counted.get(place, _NOTHING), place in waiting)
        for place in sorted(wrong)
    ]


def _add_up_again(tenant: Tenant | None, start: datetime | None, end: datetime | None) -> None:
    """Write the totals that are not the sum of their reports, each under its own lock."""
    reports, totals = (
        _within(rows.for_tenant(tenant) if tenant else rows.all(), start, end)
        for rows in (Report.objects, HourTotal.objects)
    )
    summed = reports.order_by().values_list("tenant", "hour").annotate(*(Sum(name) for name in COUNTS))
    wrong = set(summed).symmetric_difference(totals.values_list("tenant", "hour", *COUNTS))
    for tenant_id, hour in sorted({(row[0], row[1]) for row in wrong}):
        with transaction.atomic():
            add_up(tenant_id, hour)


def _within(rows: QuerySet[Any], start: datetime | None, end: datetime | None) -> QuerySet[Any]:
    rows = rows.filter(hour__gte=start) if start else rows
    return rows.filter(hour__lt=end) if end else rows


def _shown(
    tasks: Collection[int], start: datetime | None, end: datetime | None
) -> dict[_Place, dict[str, int]]:
    rows = _within(Report.objects.filter(task__in=tasks), start, end)
    return {
        (task, hour): dict(zip(COUNTS, figures, strict=True))
        for task, hour, *figures in rows.values_list("task_id", "hour", *COUNTS)
    }


def _counted(
    tasks: Collection[int], start: datetime | None, end: datetime | None
) -> dict[_Place, dict[str, int]]:
    found: defaultdict[_Place, Counter[str]] = defaultdict(lambda: Counter(_NOTHING))
    counts = closing.count("task", "at_hour", "status", hour=UtcHour, start=start, end=end, task__in=tasks)
    for (task, hour, status), number in counts.items():
        if status in COLUMN_OF:
            found[task, moment_of(hour)][COLUMN_OF[Message.Status(status)]] += number
    return {place: dict(figures) for place, figures in found.items()}
