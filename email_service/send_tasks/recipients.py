"""Recipients in, messages out: each row once, resumable wherever the reader was killed."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.db import DataError, transaction
from django.db.models import F, Q

from billing import services as billing
from email_service.feedback.queries import suppressed_keys
from email_service.mail_templates import rendering
from email_service.mail_templates.models import BodyType
from email_service.send_details import outcomes
from email_service.send_details.bulk import insert_rows
from email_service.send_details.models import Message
from email_service.send_tasks import claims, columns, progress, reasons
from email_service.send_tasks.models import RejectedRow, Task
from koomessage.common import spreadsheets, uploads
from koomessage.common.errors import RuleViolation
from koomessage.common.mailbox import BadAddress, Mailbox, normalise

logger = logging.getLogger(__name__)
CHUNK = 1_000
# A file that the storage did not give out is asked for again after this.
READ_AGAIN = timedelta(seconds=15)
_COLUMNS = (
    "tenant_id", "task_id", "recipient", "recipient_key", "domain", "params", "row_number", "status", "accepted_at",
    "end_reason", "attempts", "next_attempt_at", "crashes", "in_doubt",
)  # fmt: skip


# Row number, address as written, values of the parameters.
Row = tuple[int, str, tuple[str, ...]]


class Refused(Exception):
    """The task cannot be prepared; `reason` is kept with it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Stopped(Exception):
    """The task is no longer this reader's: cancelled, or taken over."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A row that may become a message."""

    number: int
    mailbox: Mailbox
    values: tuple[str, ...]


@dataclass
class Sorted:
    """A chunk of rows: those to write, and those that become nothing (row number, value, reason)."""

    good: list[Wanted] = field(default_factory=list)
    bad: list[tuple[int, str, str]] = field(default_factory=list)


def read(task_id: int) -> bool:
    """Read a task's recipient file from where it was left to its end; answer whether it may be sent now.

    Safe to run twice, or twice at once: one reader holds the task, and the place reached is written in the
    transaction that writes the rows.
    """
    task = _take(task_id)
    if task is None:
        return False
    try:
        with uploads.local_copy(task.recipient_file) as path:
            for chunk in _chunks(_rows_of(task, path), CHUNK):
                _store(task, chunk)
        return _finish(task)
    except Stopped:
        return False
    except uploads.StorageSilent as trouble:
        logger.warning("Task %s is read later: %s", task.code, trouble)
        _take_again_soon(task)
        return False
    except FileNotFoundError:
        logger.warning("The storage has no recipient file of task %s.", task.code)
        fail(task.pk, reasons.keep("bad_file"))
        return False
    except Refused as refusal:
        fail(task.pk, refusal.reason)
        return False
    except RuleViolation:
        fail(task.pk, reasons.keep("units"))
        return False
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


def _rows_of(task: Task, path: Path) -> Iterator[Row]:
    """Yield row number, address and values of the rows not read yet."""
    try:
        with path.open("rb") as file:
            spreadsheets.check_content(file)
        rows = spreadsheets.rows(path)
        # The header is the first row that holds anything.
        header = next((cells for _, cells in rows if any(cells)), [])
        layout = columns.match(header, task.template_version.parameters)
        for number, cells in rows:
            if number > settings.MAX_RECIPIENT_ROWS + 1 and any(cells):
                raise Refused(reasons.keep("too_many_rows", f"{settings.MAX_RECIPIENT_ROWS:,}"))
            if number > task.rows_read and any(cells):
                yield number, layout.address_in(cells), layout.values_in(cells)
    except columns.BadHeader as problem:
        raise Refused(
            reasons.keep("missing_columns", problem.missing) if problem.missing else reasons.keep("bad_file")
        ) from problem
    except (spreadsheets.BadSpreadsheet, OSError) as problem:
        raise Refused(reasons.keep("bad_file")) from problem


def _chunks(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    rows = iter(rows)
    while chunk := list(islice(rows, size)):
        yield chunk


def _store(task: Task, rows: Sequence[Row]) -> None:
    """Write a chunk's messages and bad rows, reserve their units, and move the cursor: all of it or nothing."""
    judged = judge(rows, link_places(task))
    with transaction.atomic():
        held = Task.objects.select_for_update(of=("self",)).filter(
            pk=task.pk, status=Task.Status.PREPARING, rows_read=task.rows_read
        )
        if not held.exists():
            raise Stopped
        now = claims.database_now()
        accepted = task.due_at if task.send_type == Task.SendType.SCHEDULED else now
        write(task, judged, accepted_at=accepted)
        task.rows_read = rows[-1][0]
        held.update(rows_read=task.rows_read, reading_until=_lease_until(now))


def judge(rows: Iterable[Row], links: Sequence[int] = ()) -> Sorted:
    """Sort rows by what can be said of each by itself; `links` are the places of values that are link addresses."""
    found = Sorted()
    for number, address, values in rows:
        reason = ""
        try:
            mailbox = normalise(address) if address else None
        except BadAddress:
            mailbox, reason = None, "bad_address"
        if mailbox is None:
            reason = reason or "no_address"
        elif not all(values):
            reason = "no_value"
        elif any(len(value) > columns.LONGEST_VALUE for value in values):
            reason = "long_value"
        elif not all(values[place].lower().startswith(("http://", "https://")) for place in links):
            reason = "bad_link"
        if reason or mailbox is None:
            found.bad.append((number, address, reason))
        else:
            found.good.append(Wanted(number, mailbox, values))
    return found


def link_places(task: Task) -> list[int]:
    """Return which of the parameters stand where a link's address begins."""
    version = task.template_version
    if version.body_type != BodyType.RICH:
        return []
    names = rendering.link_parameters(version.body)
    return [place for place, name in enumerate(version.parameters) if name in names]


def write(task: Task, judged: Sorted, *, accepted_at: datetime) -> int:
    """Write messages for the good rows that are new and not suppressed, and reserve their units.

    In the caller's transaction, which holds the task. Raises RuleViolation where units are refused.
    """
    keys = [row.mailbox.key for row in judged.good]
    known = set(
        Message.objects.filter(task=task, recipient_key__in=keys).values_list("recipient_key", flat=True)
    )
    suppressed = suppressed_keys(task.tenant_id, keys)
    fresh: list[Wanted] = []
    bad = list(judged.bad)
    for row in judged.good:
        key = row.mailbox.key
        if key in known:
            bad.append((row.number, row.mailbox.address, "duplicate"))
        elif key in suppressed:
            bad.append((row.number, row.mailbox.address, "suppressed"))
        else:
            fresh.append(row)
        known.add(key)
    if fresh:
        insert_rows(Message, _COLUMNS, (_message(task, row, accepted_at) for row in fresh))
        outcomes.mark_dirty([(task.tenant_id, task.pk, accepted_at)])
        billing.reserve_units(tenant=task.tenant, reference=task.code, units=len(fresh))
    RejectedRow.objects.bulk_create(
        [
            RejectedRow(task=task, row_number=number, value=value[:320], reason=reason)
            for number, value, reason in bad
        ],
        batch_size=500,
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
        raise Refused(reasons.keep("nobody"))
    now = claims.database_now()
    is_due = held.due_at <= now
    Task.objects.filter(pk=task.pk).update(
        is_read=True,
        reading_until=None,
        status=Task.Status.SENDING if is_due else Task.Status.SCHEDULED,
        started_at=now if is_due else None,
    )
    return is_due


def fail(task_id: int, reason: str) -> None:
    """End a task that cannot be prepared: nothing of it is sent, and its units come back."""
    with transaction.atomic():
        now = claims.database_now()
        if progress.move(task_id, Task.Status.FAILED, reason=reason, is_read=True, finished_at=now):
            outcomes.cancel_pending(Task.objects.get(pk=task_id), now=now)
            progress.refresh(task_id)
