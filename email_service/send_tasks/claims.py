"""Which worker holds which messages: claims under a lease, by the database's clock."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, Max, OuterRef, QuerySet
from django.utils import timezone

from email_service.send_details.models import Message
from email_service.send_tasks.models import Claim, ClaimCounter, Task
from email_service.setup.queries import HALTED

BATCH = 500
MESSAGES = Message._meta.db_table
COUNTERS = ClaimCounter._meta.db_table


@dataclass(frozen=True, slots=True)
class Claimed:
    """One message as a worker needs it."""

    id: int
    recipient: str
    recipient_key: str
    values: tuple[str, ...]
    attempts: int
    crashes: int
    accepted_at: datetime


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages of one task that one worker holds under one token."""

    token: int
    task: Task
    messages: tuple[Claimed, ...]

    @property
    def message_ids(self) -> tuple[int, ...]:
        return tuple(message.id for message in self.messages)


def database_now() -> datetime:
    """Return the time by the clock that all workers share: the database server's."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def due_messages(now: datetime) -> QuerySet[Message]:
    return Message.objects.filter(status=Message.Status.PENDING, lease_token=None, next_attempt_at__lte=now)


def due_tasks(now: datetime) -> QuerySet[Task]:
    """Return the tasks that have a message to send now, and may send it."""
    waiting = due_messages(now).filter(task=OuterRef("pk"))
    return Task.objects.filter(
        Exists(waiting),
        ~Exists(HALTED.all()),
        status=Task.Status.SENDING,
        due_at__lte=now,
        tenant__email_service__paused=False,
    )


def in_turn(now: datetime) -> list[int]:
    """Return the ids of the due tasks, the least recently served tenant's least recently served task first."""
    due = list(due_tasks(now).values_list("pk", "tenant_id", "served_at"))
    tenants = {tenant for _, tenant, _ in due}
    served = dict(
        Task.objects.filter(tenant__in=tenants).order_by().values_list("tenant").annotate(Max("served_at"))
    )
    long_ago = now - timedelta(days=36_500)
    due.sort(key=lambda row: (served[row[1]] or long_ago, row[2] or long_ago, row[0]))
    return [pk for pk, _, _ in due]


def claim(*, worker: str, host: str, size: int = BATCH) -> Batch | None:
    """Take the next messages in turn for the worker; None where nothing is due."""
    now = database_now()
    due = in_turn(now)
    # A task that somebody has locked is passed over; where all are, wait: "nothing is due" would be wrong.
    for waits in (False, True) if connection.features.has_select_for_update_skip_locked else (True,):
        for task_id in due:
            batch = _claim_of(task_id, worker, host, size, now, waits=waits)
            if batch is not None:
                return batch
    return None


@transaction.atomic
def _claim_of(task_id: int, worker: str, host: str, size: int, now: datetime, *, waits: bool) -> Batch | None:
    # The lock keeps out a cancellation until the messages carry the token; not those who only refer to the task.
    task = (
        Task.objects.select_for_update(of=("self",), skip_locked=not waits, no_key=True)
        .filter(pk=task_id, status=Task.Status.SENDING)
        .first()
    )
    if task is None:
        return None
    token = next_token(now)
    messages = _take(task.pk, token, size, now)
    if not messages:
        return None
    Claim.objects.create(
        token=token,
        worker=worker,
        host=host,
        task=task,
        lease_until=now + timedelta(seconds=settings.LEASE_SECONDS),
    )
    Task.objects.filter(pk=task.pk).update(served_at=now)
    return Batch(token, task, messages)


def next_token(now: datetime | None = None) -> int:
    """Return a number that no claim has had; they only grow. When the last was given out is kept beside."""
    moment = connection.ops.adapt_datetimefield_value(now or database_now())
    with connection.cursor() as cursor:
        for _ in range(2):
            cursor.execute(
                f"UPDATE {COUNTERS} SET value = value + 1, claimed_at = %s WHERE id = 1 RETURNING value",  # noqa: S608
                [moment],
            )
            if row := cursor.fetchone():
                return row[0]
            ClaimCounter.objects.get_or_create(pk=1)
    raise RuntimeError("The counter of claims cannot be written.")


def go_on_after(token: int) -> None:
    """Have the next token be higher than this one; an operator decided so after a restore."""
    ClaimCounter.objects.get_or_create(pk=1)
    ClaimCounter.objects.filter(pk=1, value__lt=token).update(value=token)


def highest_token() -> int:
    return ClaimCounter.objects.filter(pk=1).values_list("value", flat=True).first() or 0


def _take(task_id: int, token: int, size: int, now: datetime) -> tuple[Claimed, ...]:
    skip = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
    # Without its zone, the time comes through the driver's own reader instead of one in Python.
    accepted = "accepted_at AT TIME ZONE 'UTC'" if connection.vendor == "postgresql" else "accepted_at"
    # Materialized: a plan that asked twice would get other rows the second time, and take too many.
    sql = (
        f"WITH due AS MATERIALIZED (SELECT id FROM {MESSAGES} "  # noqa: S608 - names of our own tables
        "WHERE task_id = %s AND status = 'pending' AND lease_token IS NULL "
        f"AND next_attempt_at <= %s ORDER BY next_attempt_at, id LIMIT %s {skip}) "
        f"UPDATE {MESSAGES} SET lease_token = %s WHERE id IN (SELECT id FROM due) "
        f"RETURNING id, recipient, recipient_key, params, attempts, crashes, {accepted}"
    )
    moment = connection.ops.adapt_datetimefield_value(now)
    with connection.cursor() as cursor:
        cursor.execute(sql, [task_id, moment, size, token])
        return tuple(sorted((_claimed(row) for row in cursor.fetchall()), key=lambda message: message.id))


def _claimed(row: Sequence[Any]) -> Claimed:
    pk, recipient, key, params, attempts, crashes, accepted_at = row
    values = orjson.loads(params) if isinstance(params, str) else params
    if isinstance(accepted_at, str):
        accepted_at = datetime.fromisoformat(accepted_at)
    if timezone.is_naive(accepted_at):
        accepted_at = accepted_at.replace(tzinfo=UTC)
    return Claimed(pk, recipient, key, tuple(values), attempts, crashes, accepted_at)


def renew(token: int) -> bool:
    """Prolong the lease from now; False when the claim is no longer the worker's."""
    until = database_now() + timedelta(seconds=settings.LEASE_SECONDS)
    return bool(Claim.objects.filter(token=token).update(lease_until=until))


def close(token: int) -> None:
    """End a claim under which no message is held any more."""
    Claim.objects.filter(token=token).delete()


def count_crash(message_ids: Collection[int]) -> None:
    """Note that a worker died over these messages."""
    Message.objects.filter(pk__in=message_ids).update(crashes=F("crashes") + 1)


def silent(now: datetime) -> list[Claim]:
    """Return the claims whose worker has not renewed them for so long that its host counts as gone."""
    limit = now - timedelta(seconds=settings.HOST_SILENT_SECONDS)
    return list(Claim.objects.filter(lease_until__lt=limit))


def tokens_of(worker: str) -> list[int]:
    """Return the tokens of the claims a worker has not closed."""
    return list(Claim.objects.filter(worker=worker).order_by("token").values_list("token", flat=True))
