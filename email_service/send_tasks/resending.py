"""Recipients of a task that failed become those of another: copied in the database, chunk by chunk, each once."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, models
from django.db.models import Count, Exists, F, Max, OuterRef, Value

from billing import services as billing
from email_service.feedback.models import Suppression
from email_service.send_details import outcomes
from email_service.send_details.models import Message
from email_service.send_tasks.models import RejectedRow, Task

CHUNK = 5_000
_MESSAGE = (
    "tenant_id", "task_id", "recipient", "recipient_key", "domain", "params", "row_number", "status", "accepted_at",
    "end_reason", "attempts", "next_attempt_at", "crashes", "in_doubt",
)  # fmt: skip
_ROW = ("task_id", "row_number", "value", "reason")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Messages of the original looked at together: up to which, and how many."""

    last: int
    looked_at: int


def failed_of(task_id: int | None) -> models.QuerySet[Message]:
    """Keep the task's messages that a server refused, or that nobody took in time; no rejected ones."""
    ends = (Message.Status.FAILED, Message.Status.EXPIRED)
    return Message.objects.filter(task=task_id, status__in=ends)


@dataclass(frozen=True, slots=True)
class Left:
    """How many the task failed to reach, and how many of those may be written to again."""

    failed: int
    reachable: int


def left_of(task: Task) -> Left:
    return Left(failed_of(task.pk).count(), reachable(task).count())


def reachable(task: Task) -> models.QuerySet[Message]:
    """Keep those of the failed that nobody has suppressed since."""
    return failed_of(task.pk).filter(~_listed(task))


def _listed(task: Task) -> Exists:
    """Say which messages went to somebody who is on the account's suppression list by now."""
    return Exists(Suppression.objects.filter(tenant=task.tenant_id, address_key=OuterRef("recipient_key")))


def next_chunk(task: Task) -> Chunk | None:
    """Return what is to be copied next, None at the end."""
    ahead = failed_of(task.resend_of_id).filter(pk__gt=task.copied_through).order_by("pk")
    found = ahead[:CHUNK].aggregate(last=Max("pk"), number=Count("pk"))
    return Chunk(found["last"], found["number"]) if found["number"] else None


def copy(task: Task, chunk: Chunk, *, now: datetime) -> None:
    """Write the chunk's messages with their own values, reserve their units, and move the cursor.

    In the caller's transaction, which holds the task. The suppressed are listed and get no message. Raises
    RuleViolation where units are refused.
    """
    rows = failed_of(task.resend_of_id).filter(pk__gt=task.copied_through, pk__lte=chunk.last)
    listed = _listed(task)
    written = _insert(Message, _MESSAGE, _as_messages(rows.filter(~listed), task, now))
    # Rows of the file have numbers of their own; where several share one, the first is listed.
    _insert(RejectedRow, _ROW, _as_rows(rows.filter(listed), task), end="ON CONFLICT DO NOTHING")
    if written:
        outcomes.mark_dirty([(task.tenant_id, task.pk, now)])
        billing.reserve_units(tenant=task.tenant, reference=task.code, units=written)
    task.copied_through = chunk.last
    task.rows_read += chunk.looked_at
    Task.objects.filter(pk=task.pk).update(
        copied_through=chunk.last,
        rows_read=task.rows_read,
        accepted_count=F("accepted_count") + written,
        pending_count=F("pending_count") + written,
        suppressed_count=F("suppressed_count") + chunk.looked_at - written,
    )


def _as_messages(rows: models.QuerySet[Message], task: Task, now: datetime) -> models.QuerySet:
    moment = Value(now, models.DateTimeField())
    return rows.order_by("pk").values_list(
        "tenant_id",
        Value(task.pk, models.BigIntegerField()),
        "recipient",
        "recipient_key",
        "domain",
        "params",
        "row_number",
        Value(str(Message.Status.PENDING), models.CharField()),
        moment,
        Value("", models.CharField()),
        Value(0, models.IntegerField()),
        moment,
        Value(0, models.IntegerField()),
        Value(False, models.BooleanField()),
    )


def _as_rows(rows: models.QuerySet[Message], task: Task) -> models.QuerySet:
    reason = Value("suppressed", models.CharField())
    return rows.order_by("pk").values_list(
        Value(task.pk, models.BigIntegerField()), "row_number", "recipient", reason
    )


def _insert(
    model: type[models.Model], columns: tuple[str, ...], chosen: models.QuerySet, *, end: str = ""
) -> int:
    sql, params = chosen.query.sql_with_params()
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {model._meta.db_table} ({names}) {sql} {end}", params)
        return int(cursor.rowcount)
