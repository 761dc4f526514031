"""Which worker holds which messages: claims under a lease, by the database's clock."""

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from email_service.send_details import outcomes
from email_service.send_details.models import Message
from email_service.send_tasks import ceilings, parking
from email_service.send_tasks.models import Claim, ClaimCounter, Task
from email_service.send_tasks.standing import DESTINATION, SENDER, TENANT, Standing, keys_of
from email_service.setup.queries import HALTED

BATCH = 500
# How long a worker that found only what waits for tokens stays before it looks again.
LONGEST_WAIT, SHORTEST_WAIT = 0.5, 0.02
# How long one claim may go on parking before the worker looks around.
LONGEST_PARKING = 1.0
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
    terms: object = None  # the limits under which it was claimed
    size: int = BATCH  # asked for: with fewer messages the task has no more that are due

    @property
    def is_full(self) -> bool:
        return len(self.messages) >= self.size

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


def due_tasks(now: datetime, standing: Standing | None = None) -> QuerySet[Task]:
    """Return the tasks that have a message to send now, and may send it: no pause, no limit keeps them back.

    `now` may be a moment ago, for what has been due since then; the limits are always those of the present.
    """
    standing = standing or ceilings.read(timezone.now())
    waits = Q(Exists(due_messages(now).filter(task=OuterRef("pk"))))
    if destinations := standing.open_destinations:
        waits |= Q(Exists(parking.parked(now, destinations).filter(task=OuterRef("pk"))))
    return Task.objects.filter(
        waits,
        ~_kept_back(standing),
        ~Exists(HALTED.all()),
        status=Task.Status.SENDING,
        due_at__lte=now,
        tenant__email_service__paused=False,
    )


def _kept_back(standing: Standing) -> Q:
    """Return which tasks send nothing now because of their account's or their sending domain's limit."""
    closed = standing.closed
    found = Q(tenant__in=[int(key) for kind, key in closed if kind == TENANT])
    for kind, key in closed:
        if kind == SENDER:
            tenant, _colon, domain = key.partition(":")
            found |= Q(tenant=int(tenant), sender__endswith=f"@{domain}")
    return found


def in_turn(now: datetime, standing: Standing | None = None) -> list[int]:
    """Return the ids of the due tasks, the least recently served tenant's least recently served task first."""
    due = list(due_tasks(now, standing).values_list("pk", "tenant_id", "served_at"))
    tenants = {tenant for _, tenant, _ in due}
    served = dict(
        Task.objects.filter(tenant__in=tenants).order_by().values_list("tenant").annotate(Max("served_at"))
    )
    long_ago = now - timedelta(days=36_500)
    due.sort(key=lambda row: (served[row[1]] or long_ago, row[2] or long_ago, row[0]))
    return [pk for pk, _, _ in due]


def claim(*, worker: str, host: str, size: int = BATCH) -> Batch | None:
    """Take the next messages in turn for the worker; None where nothing is due, or limits keep it back."""
    until = time.monotonic() + LONGEST_PARKING
    while True:
        now = database_now()
        standing = ceilings.read(now)
        ceilings.open_meters(standing)
        due = in_turn(now, standing)
        has_parked = False
        # A task that somebody has locked is passed over; where all are, wait: "nothing is due" would be wrong.
        for waits in (False, True) if connection.features.has_select_for_update_skip_locked else (True,):
            for task_id in due:
                found = _claim_of(task_id, worker, host, size, standing, waits=waits)
                if isinstance(found, Batch):
                    return found
                has_parked = has_parked or found
        # What was parked has made way for others; whoever became due meanwhile has a turn now.
        if not has_parked or time.monotonic() > until:
            return None


@transaction.atomic
def _claim_of(
    task_id: int, worker: str, host: str, size: int, standing: Standing, *, waits: bool
) -> Batch | bool:
    """Return the task's next messages under a claim; without one, whether messages were parked."""
    # The lock keeps out a cancellation until the messages carry the token; not those who only refer to the task.
    task = (
        Task.objects.select_for_update(of=("self",), skip_locked=not waits, no_key=True)
        .filter(pk=task_id, status=Task.Status.SENDING)
        .first()
    )
    if task is None:
        return False
    now, keys = standing.now, keys_of(task)
    size = standing.smallest(size, *keys)
    found = parking.candidates(task.pk, now, size, standing) if standing.destinations else None
    concerned = {(DESTINATION, row.domain) for row in found or ()}
    # Locked after the task and its messages and before the counter, by everybody.
    locked = ceilings.lock(standing, [*keys, *concerned])
    size = locked.smallest(size, *keys)
    chosen = None
    if found is not None:
        chosen, excess = parking.choose(found, size, locked)
        parking.park(excess)
    if size == 0 or chosen == []:
        return bool(found and excess)
    token = next_token(now)
    messages = _take(task.pk, token, size, now) if chosen is None else _take_these(chosen, token)
    if not messages:
        return False
    has_ceiling = locked.left_today(keys[1]) is not None
    Claim.objects.create(
        token=token,
        worker=worker,
        host=host,
        task=task,
        lease_until=now + timedelta(seconds=settings.LEASE_SECONDS),
        warmup_day=max(locked.today, locked.levels[keys[1]].day) if has_ceiling else None,
    )
    ceilings.use(locked, keys, len(messages), chosen or ())
    Task.objects.filter(pk=task.pk).update(served_at=now)
    return Batch(token, task, messages, standing.terms(task), size)


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
    # Materialized: a plan that asked twice would get other rows the second time, and take too many.
    due = (
        f"WITH due AS MATERIALIZED (SELECT id FROM {MESSAGES} "  # noqa: S608 - names of our own tables
        "WHERE task_id = %s AND status = 'pending' AND lease_token IS NULL "
        f"AND next_attempt_at <= %s ORDER BY next_attempt_at LIMIT %s {skip})"
    )
    moment = connection.ops.adapt_datetimefield_value(now)
    return _mark(due, "SELECT id FROM due", [task_id, moment, size, token])


def _take_these(chosen: Sequence[parking.Candidate], token: int) -> tuple[Claimed, ...]:
    """Take what was chosen and locked before."""
    ids = [row.id for row in chosen]
    return _mark("", ", ".join(["%s"] * len(ids)), [token, *ids])


def _mark(before: str, which: str, values: Sequence[Any]) -> tuple[Claimed, ...]:
    # Without its zone, the time comes through the driver's own reader instead of one in Python.
    accepted = "accepted_at AT TIME ZONE 'UTC'" if connection.vendor == "postgresql" else "accepted_at"
    sql = (
        f"{before} UPDATE {MESSAGES} SET lease_token = %s WHERE id IN ({which}) "  # noqa: S608
        f"RETURNING id, recipient, recipient_key, params, attempts, crashes, {accepted}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
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


def give_back(token: int, message_ids: Iterable[int] | None = None, *, crashed: bool = False) -> int:
    """Make messages held under the token pending again, neither an attempt nor a part of the day's ceiling."""
    number = outcomes.give_back(token, message_ids, crashed=crashed)
    if number:
        ceilings.give_back(token, number)
    return number


def wait_for_tokens() -> bool:
    """Wait until a limit may let something go, at most half a second; False where nothing waits for one."""
    now = database_now()
    standing = ceilings.read(now)
    if not standing.limits:
        return False
    wait = SHORTEST_WAIT
    if not due_tasks(now, standing).exists():
        if not due_tasks(now, standing.as_if_full()).exists():
            return False
        wait = standing.wait()
    time.sleep(min(LONGEST_WAIT, max(SHORTEST_WAIT, wait)))
    return True


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
