"""Recipients in, messages out: each row once, resumable wherever the reader was killed."""

import json
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DataError, connection, transaction
from django.db.models import F, Q, QuerySet

from billing import services as billing
from email_service.feedback.queries import suppressed_keys
from email_service.send_details import addressees, outcomes
from email_service.send_details.bulk import insert_rows
from email_service.send_details.models import Message
from email_service.send_tasks import claims, progress, reasons, resending, steps
from email_service.send_tasks.models import RejectedRow, Task
from email_service.send_tasks.recipient_rows import (
    Refused,
    Sorted,
    Wanted,
    ahead,
    judge,
    judged_rows,
    link_places,
)
from koomessage.common import uploads
from koomessage.common.errors import RuleViolation

__all__ = ["Refused", "fail", "judge", "read", "write"]

logger = logging.getLogger(__name__)
CHUNK = 5_000
# A file that the storage did not give out is asked for again after this.
READ_AGAIN = timedelta(seconds=15)
_COLUMNS = (
    "tenant_id", "task_id", "recipient", "recipient_key", "domain", "params", "row_number", "status", "accepted_at",
    "end_reason", "attempts", "next_attempt_at", "crashes", "in_doubt",
)  # fmt: skip

_REJECTED = ("task_id", "row_number", "value", "reason")


class Stopped(Exception):
    """The task is no longer this reader's: cancelled, or taken over."""


def read(task_id: int) -> bool:
    """Read a task's recipients from where it was left to their end; answer whether it may be sent now.

    Safe to run twice, or twice at once: one reader holds the task, and the place reached is written in the
    transaction that writes the rows.
    """
    task = _take(task_id)
    if task is None:
        return False
    try:
        if task.source == Task.Source.RESEND:
            while (chunk := resending.next_chunk(task)) is not None:
                _copy(task, chunk)
        else:
            with uploads.local_copy(task.recipient_file) as path:
                version = task.template_version
                rows = judged_rows(
                    path, version.parameters, link_places(version), after=task.rows_read, size=CHUNK
                )
                for judged in ahead(rows):
                    _store(task, judged)
        return _finish(task)
    except Stopped:
        pass
    except uploads.StorageSilent as trouble:
        logger.warning("Task %s is read later: %s", task.code, trouble)
        _take_again_soon(task)
    except FileNotFoundError:
        logger.warning("The storage has no recipient file of task %s.", task.code)
        fail(task.pk, reasons.keep("bad_file"))
    except Refused as refusal:
        fail(task.pk, refusal.reason)
    except RuleViolation:
        fail(task.pk, reasons.keep("units"))
    except (DataError, ValueError):
        # What is in the file cannot be stored; the next reader would fare no better.
        logger.exception("The recipient file of task %s cannot be read.", task.code)
        fail(task.pk, reasons.keep("bad_file"))
    return False


def _lease_until(now: datetime) -> datetime:
    """A reader that stores no chunk until then is dead; opening a file of 40 MB alone takes seconds."""
    return now + timedelta(seconds=settings.READING_LEASE_SECONDS)


def _take(task_id: int) -> Task | None:
    now = claims.database_now()
    free = Q(reading_until=None) | Q(reading_until__lt=now)
    taken = Task.objects.filter(free, pk=task_id, status=Task.Status.PREPARING, is_read=False)
    if not taken.update(reading_until=_lease_until(now)):
        return None
    return Task.objects.select_related("template_version", "tenant").get(pk=task_id)


def _take_again_soon(task: Task) -> None:
    """Let the sweep find the task before its lease ends; where another reader has it, that one notices."""
    until = claims.database_now() + min(READ_AGAIN, timedelta(seconds=settings.READING_LEASE_SECONDS))
    Task.objects.filter(pk=task.pk, status=Task.Status.PREPARING, is_read=False).update(reading_until=until)


def _store(task: Task, judged: Sorted) -> None:
    """Write a chunk's messages and bad rows, reserve their units, and move the cursor: all of it or nothing."""
    with transaction.atomic():
        held = _hold(task)
        now = claims.database_now()
        accepted = task.due_at if task.send_type == Task.SendType.SCHEDULED else now
        write(task, judged, accepted_at=accepted)
        task.rows_read = judged.last
        held.update(rows_read=task.rows_read, reading_until=_lease_until(now))


@transaction.atomic
def _copy(task: Task, chunk: resending.Chunk) -> None:
    """Copy a chunk of another task's messages: all of it or nothing."""
    held = _hold(task)
    now = claims.database_now()
    resending.copy(task, chunk, now=now)
    held.update(reading_until=_lease_until(now))


def _hold(task: Task) -> QuerySet[Task]:
    """Lock the task where it stands as this reader left it; raises Stopped where somebody else moved it."""
    mine = Task.objects.filter(pk=task.pk, status=Task.Status.PREPARING, is_read=False)
    if not mine.select_for_update(of=("self",)).filter(rows_read=task.rows_read).exists():
        raise Stopped
    return mine


def write(task: Task, judged: Sorted, *, accepted_at: datetime) -> int:
    """Write messages for the good rows that are new and not suppressed, and reserve their units.

    In the caller's transaction, which holds the task. Raises RuleViolation where units are refused.
    """
    keys = [row.mailbox.key for row in judged.good]
    known = _known_keys(task, keys)
    suppressed = suppressed_keys(task.tenant_id, keys)
    fresh: list[Wanted] = []
    bad = list(judged.bad)
    for row in judged.good:
        key = row.mailbox.key
        # In this order: a suppressed address that stands there twice is never a duplicate of a message.
        if key in suppressed:
            bad.append((row.number, row.mailbox.address, "suppressed"))
        elif key in known:
            bad.append((row.number, row.mailbox.address, "duplicate"))
        else:
            fresh.append(row)
            known.add(key)
    if fresh:
        insert_rows(Message, _COLUMNS, (_message(task, row, accepted_at) for row in fresh))
        outcomes.mark_dirty([(task.tenant_id, task.pk, accepted_at)])
        billing.reserve_units(tenant=task.tenant, reference=task.code, units=len(fresh))
        if len(fresh) > addressees.FEW:
            addressees.remember_later(task.pk)
        else:
            # Once the account's ledger is locked, so that nobody adds addresses of this account beside.
            addressees.remember(task.tenant_id, (row.mailbox.key for row in fresh))
    insert_rows(
        RejectedRow, _REJECTED, [(task.pk, number, value[:320], reason) for number, value, reason in bad]
    )
    said = [reason for _, _, reason in bad]
    Task.objects.filter(pk=task.pk).update(
        accepted_count=F("accepted_count") + len(fresh),
        pending_count=F("pending_count") + len(fresh),
        duplicate_count=F("duplicate_count") + said.count("duplicate"),
        suppressed_count=F("suppressed_count") + said.count("suppressed"),
        bad_count=F("bad_count") + len(said) - said.count("duplicate") - said.count("suppressed"),
    )
    return len(fresh)


def _known_keys(task: Task, keys: Sequence[str]) -> set[str]:
    """Return those of the keys that have a message of the task already."""
    if not Message.objects.filter(task=task).exists():
        return set()
    # One value that holds them all, as for suppressions: thousands of single ones cost more than their rows.
    listed = "jsonb_array_elements_text(%s::jsonb)" if connection.vendor == "postgresql" else "json_each(%s)"
    column = "wanted" if connection.vendor == "postgresql" else "wanted.value"
    sql = (
        f"SELECT recipient_key FROM {Message._meta.db_table} "  # noqa: S608 - names of our own
        f"WHERE task_id = %s AND recipient_key IN (SELECT {column} FROM {listed} AS wanted)"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [task.pk, json.dumps(keys)])
        return {key for (key,) in cursor.fetchall()}


def _message(task: Task, row: Wanted, accepted_at: datetime) -> tuple[object, ...]:
    mailbox = row.mailbox
    where = (mailbox.address, mailbox.key, mailbox.domain)
    return (
        task.tenant_id, task.pk, *where, list(row.values), row.number, Message.Status.PENDING.value, accepted_at,
        "", 0, accepted_at, 0, False,
    )  # fmt: skip


@transaction.atomic
def _finish(task: Task) -> bool:
    """End the reading: the task is sent now, waits for its hour, or failed for want of recipients."""
    held = (
        Task.objects.select_for_update(of=("self",)).filter(pk=task.pk, status=Task.Status.PREPARING).first()
    )
    if held is None:
        return False
    if held.accepted_count == 0:
        raise Refused(reasons.keep("none_left" if held.source == Task.Source.RESEND else "nobody"))
    now = claims.database_now()
    is_due = held.due_at <= now
    Task.objects.filter(pk=task.pk).update(
        is_read=True,
        reading_until=None,
        status=Task.Status.SENDING if is_due else Task.Status.SCHEDULED,
        started_at=now if is_due else None,
    )
    steps.note(task.pk, steps.Kind.READ, at=now, rows=held.accepted_count)
    if is_due:
        steps.note(task.pk, steps.Kind.STARTED, at=now)
    return is_due


def fail(task_id: int, reason: str) -> None:
    """End a task that cannot be prepared: nothing of it is sent, and its units come back."""
    with transaction.atomic():
        now = claims.database_now()
        if progress.move(task_id, Task.Status.FAILED, reason=reason, is_read=True, finished_at=now):
            outcomes.cancel_pending(Task.objects.get(pk=task_id), now=now)
            progress.refresh(task_id)
