"""Messages of long ago are removed and their counts kept: no report, task or ledger says anything else after it."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection, models, transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from email_service.feedback.models import Suppression
from email_service.reports import aggregation
from email_service.reports.hours import UtcHour, moment_of
from email_service.reports.models import Report
from email_service.send_details import closing, outcomes
from email_service.send_details.models import Attempt, ClosedEvent, DirtyHour, Event, Message
from email_service.send_tasks.models import Task
from iam.models import Tenant

BATCH = 1_000
# What refers to messages, and whether it goes with them or only forgets them; a test knows of every such table.
GOES: tuple[type[models.Model], ...] = (Attempt, Event)
FORGETS: tuple[type[models.Model], ...] = (Suppression,)


@dataclass(frozen=True, slots=True)
class Old:
    """A message that may go."""

    pk: int
    tenant_id: int
    task_id: int
    accepted_at: datetime

    @property
    def hour(self) -> datetime:
        return _hour(self.accepted_at)


def removable(before: datetime, tenant: Tenant | None = None) -> QuerySet[Message]:
    """Return the messages that have ended and were accepted before the moment.

    Those of a task that still reads its file stay: an address that comes again there must be found.
    """
    rows = Message.objects.filter(status__in=Message.ENDED, accepted_at__lt=before)
    if tenant is not None:
        rows = rows.filter(tenant=tenant)
    reading = Task.objects.filter(status=Task.Status.PREPARING).values_list("pk", flat=True)
    return rows.exclude(task__in=list(reading))


def purge(
    before: datetime,
    *,
    tenant: Tenant | None = None,
    batch: int = BATCH,
    seconds: float | None = None,
    tell: Callable[[int], None] = lambda number: None,
) -> int:
    """Remove what is removable, oldest first, until nothing is left or the seconds are over; return how many.

    Each batch is a transaction of its own: killed anywhere, the next run goes on. `tell` gets the count so far.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    number = 0
    for found in _batches(before, tenant, batch):
        _count_hours({(old.tenant_id, old.task_id, old.hour) for old in found})
        number += _remove([old.pk for old in found])
        tell(number)
        if deadline is not None and time.monotonic() >= deadline:
            break
    return number


def _batches(before: datetime, tenant: Tenant | None, size: int) -> Iterator[list[Old]]:
    """Yield what is removable, an account after the other, along the index by time."""
    tenants = [tenant] if tenant else Tenant.objects.order_by("pk").iterator()
    for one in tenants:
        rows = removable(before, one).order_by("accepted_at", "pk")
        columns = rows.values_list("pk", "tenant_id", "task_id", "accepted_at")
        beyond = Q()
        while found := [Old(*row) for row in columns.filter(beyond)[:size]]:
            yield found
            last = found[-1]
            beyond = Q(accepted_at__gte=last.accepted_at) & (
                Q(accepted_at__gt=last.accepted_at) | Q(pk__gt=last.pk)
            )


def _count_hours(places: Collection[tuple[int, int, datetime]]) -> None:
    """See to it that reports have counted these (tenant, task, hour) while their rows are there."""
    scope = {"task__in": {task for _, task, _ in places}, "hour__in": {hour for _, _, hour in places}}
    counted = set(Report.objects.filter(**scope).values_list("task_id", "hour"))
    outcomes.mark_dirty(place for place in places if place[1:] not in counted)
    now = timezone.now()
    for task, hour in list(DirtyHour.objects.filter(**scope).values_list("task_id", "hour")):
        aggregation.recount(task, hour, now)


@transaction.atomic
def _remove(message_ids: Sequence[int]) -> int:
    """Write the closing counts and delete the rows; what another removal holds is left to that."""
    held = Message.objects.filter(pk__in=message_ids, status__in=Message.ENDED)
    rows = list(
        held.order_by("pk")
        .select_for_update(skip_locked=True)
        .values_list("pk", "tenant_id", "task_id", "accepted_at", "status", "end_reason")
    )
    if not rows:
        return 0
    ids = [pk for pk, *_ in rows]
    closing.add_messages(
        Counter((tenant, task, _hour(at), status, reason) for _, tenant, task, at, status, reason in rows)
    )
    closing.add_events(_events_of(ids))
    for model in GOES:
        _run("DELETE FROM {table} WHERE message_id", model, ids)
    for model in FORGETS:
        _run("UPDATE {table} SET message_id = NULL WHERE message_id", model, ids)
    _run("DELETE FROM {table} WHERE id", Message, ids)
    return len(ids)


def _events_of(message_ids: Sequence[int]) -> Counter[tuple[int, int, datetime, str]]:
    """Count what reports show of the messages' events, by (tenant, task, hour, kind)."""
    delivered = Q(kind=Event.Kind.ENDED, detail__status="delivered")
    unsubscribed = Q(kind=Event.Kind.UNSUBSCRIBED)
    groups = (
        Event.objects.filter(delivered | unsubscribed, message__in=message_ids)
        .order_by()
        .annotate(at_hour=UtcHour("at"))
        .values_list("tenant_id", "message__task_id", "at_hour")
        .annotate(took=Count("pk", filter=delivered), left=Count("pk", filter=unsubscribed))
    )
    found: Counter[tuple[int, int, datetime, str]] = Counter()
    for tenant, task, hour, took, left in groups:
        found[tenant, task, moment_of(hour), ClosedEvent.Kind.DELIVERED.value] += took
        found[tenant, task, moment_of(hour), ClosedEvent.Kind.UNSUBSCRIBED.value] += left
    return +found


def _run(statement: str, model: type[models.Model], ids: Sequence[int]) -> None:
    statement = statement.format(table=connection.ops.quote_name(model._meta.db_table))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"{statement} = ANY(%s)", [list(ids)])
        else:
            cursor.execute(f"{statement} IN ({', '.join(['%s'] * len(ids))})", list(ids))


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
