"""The only code that writes a message's status: message, attempt, event and dirty hour in one transaction."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Exists, F, OuterRef, Value
from django.utils import timezone

from email_service.send_details import recording
from email_service.send_details.bulk import insert_rows
from email_service.send_details.models import DirtyHour, Event, Message
from email_service.send_details.recording import EVENT_COLUMNS, OutcomeRow

__all__ = [
    "OutcomeRow",
    "cancel_pending",
    "give_back",
    "mark_dirty",
    "record",
    "reject_suppressed",
    "set_aside",
]

BATCH = 500


def record(rows: Sequence[OutcomeRow], *, now: datetime) -> frozenset[int]:
    """Write the outcomes down and return the ids of the messages they were written to.

    A row whose token is no longer the message's changes nothing: somebody else holds the message, or has
    written its outcome. All of one call is written, or nothing.
    """
    with transaction.atomic():
        applied: set[int] = set()
        for start in range(0, len(rows), BATCH):
            written = recording.write(rows[start : start + BATCH])
            mark_dirty((found.tenant_id, found.task_id, found.accepted_at) for found in written)
            applied.update(*(found.message_ids for found in written))
        return frozenset(applied)


@transaction.atomic
def cancel_pending(task: models.Model, *, now: datetime | None = None) -> int:
    """Cancel what no worker holds of the task and return how many that was; what is held goes its way."""
    return _end(
        {"task": task.pk},
        token=None,
        status=Message.Status.CANCELLED,
        reason=Message.EndReason.CANCELLED,
        now=now or timezone.now(),
    )


@transaction.atomic
def reject_suppressed(
    tenant_id: int, keys: Collection[str], *, now: datetime | None = None, token: int | None = None
) -> int:
    """End as rejected the tenant's pending messages to these addresses and return how many that was.

    Without a token, those no worker holds; with one, those held under it: a worker that found the address
    suppressed before it sent. What somebody else changes at this moment is passed over, so that nobody waits
    for each other in a circle: it is being cancelled, or taken by a worker, who finds the address suppressed.
    """
    scope = {"tenant": tenant_id, "recipient_key__in": list(keys)}
    if token is None:
        waiting = Message.objects.filter(**scope, status=Message.Status.PENDING, lease_token=None)
        free = waiting.order_by().select_for_update(skip_locked=True, no_key=True)
        scope = {"pk__in": list(free.values_list("pk", flat=True))}
    return _end(
        scope,
        token=token,
        status=Message.Status.REJECTED,
        reason=Message.EndReason.SUPPRESSED,
        now=now or timezone.now(),
    )


@transaction.atomic
def set_aside(token: int, message_ids: Iterable[int], *, now: datetime | None = None) -> int:
    """End as failed, by the platform's fault, messages held under the token; return how many."""
    return _end(
        {"pk__in": list(message_ids)},
        token=token,
        status=Message.Status.FAILED,
        reason=Message.EndReason.PLATFORM,
        now=now or timezone.now(),
    )


def give_back(token: int, message_ids: Iterable[int] | None = None, *, crashed: bool = False) -> int:
    """Make messages held under the token pending again, the attempt not counted; all of them unless named."""
    held = Message.objects.filter(lease_token=token)
    if message_ids is not None:
        held = held.filter(pk__in=list(message_ids))
    return held.update(lease_token=None, crashes=F("crashes") + int(crashed))


@transaction.atomic
def decide_held(
    message_ids: Collection[int], status: str, *, now: datetime, reason: str = ""
) -> Counter[int]:
    """Let held messages become what a person decided; return how many that were, by task.

    Pending is tried again at once. What somebody had decided before stays as it is: of two decisions one counts.
    """
    is_end = status not in (Message.Status.PENDING, Message.Status.HELD)
    held = Message.objects.filter(pk__in=message_ids, status=Message.Status.HELD, lease_token=None)
    found = list(
        held.order_by("pk")
        .select_for_update(no_key=True)
        .values_list("pk", "tenant_id", "task_id", "accepted_at")
    )
    Message.objects.filter(pk__in=[pk for pk, *_ in found]).update(
        status=status,
        end_reason=reason if is_end else "",
        finished_at=now if is_end else None,
        next_attempt_at=None if is_end else now,
    )
    told: list[tuple[str, dict[str, str]]] = [(Event.Kind.DECIDED, {"status": status})]
    if is_end:
        detail = {"status": status, "reason": reason} if reason else {"status": status}
        told.append((Event.Kind.ENDED, detail))
    insert_rows(
        Event,
        EVENT_COLUMNS,
        ((pk, tenant, kind, now, detail) for pk, tenant, _, _ in found for kind, detail in told),
    )
    mark_dirty((tenant, task, accepted_at) for _, tenant, task, accepted_at in found)
    return Counter(task for _, _, task, _ in found)


def mark_dirty(messages: Iterable[tuple[int, int, datetime]]) -> None:
    """Have the hours of these (tenant, task, accepted time) counted anew."""
    hours = {(task, _hour(accepted_at)): tenant for tenant, task, accepted_at in set(messages)}
    # The moment of writing, not the caller's: a mark set again must differ from the one a count began with.
    moment = timezone.now()
    DirtyHour.objects.bulk_create(
        [
            DirtyHour(tenant_id=tenant, task_id=task, hour=hour, marked_at=moment)
            for (task, hour), tenant in sorted(hours.items())
        ],
        update_conflicts=True,
        unique_fields=["task", "hour"],
        update_fields=["marked_at"],
    )


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _end(scope: dict[str, Any], *, token: int | None, status: str, reason: str, now: datetime) -> int:
    """End the scope's pending messages held under the token by one UPDATE, then find them by what it wrote."""
    waiting = Message.objects.filter(**scope, status=Message.Status.PENDING, lease_token=token)
    count = waiting.update(
        status=status,
        end_reason=reason,
        finished_at=now,
        next_attempt_at=None,
        parked_since=None,
        lease_token=None,
    )
    if not count:
        return 0
    told = Event.objects.filter(message=OuterRef("pk"), kind=Event.Kind.ENDED)
    ended = Message.objects.filter(~Exists(told), **scope, status=status, end_reason=reason, finished_at=now)
    mark_dirty(ended.order_by().values_list("tenant_id", "task_id", "accepted_at").distinct().iterator())
    _insert_ended(ended, {"status": status, "reason": reason}, now)
    return count


def _insert_ended(messages: models.QuerySet[Message], detail: dict[str, str], now: datetime) -> None:
    """Add the ENDED event of each of the messages without reading one of them."""
    chosen = messages.order_by().values_list(
        "pk",
        "tenant_id",
        Value(str(Event.Kind.ENDED), models.CharField()),
        Value(now, models.DateTimeField()),
        Value(detail, models.JSONField()),
    )
    sql, params = chosen.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {Event._meta.db_table} ({', '.join(EVENT_COLUMNS)}) {sql}", params)
