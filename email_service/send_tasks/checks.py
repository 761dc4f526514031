"""Reads the file of a check, as a job: begun anew where the reader was killed, and by one at a time."""

import logging
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import orjson
from django.conf import settings
from django.db import DataError, transaction
from django.db.models import F, Q

from email_service.send_tasks import claims, examination, reasons
from email_service.send_tasks.examination import GOOD, Block, CheckedRow
from email_service.send_tasks.models import Attachment, Task
from email_service.send_tasks.models_check import CheckedBlock, RecipientCheck, RecipientCheckQuerySet
from email_service.send_tasks.recipient_rows import Refused
from koomessage.common import uploads

logger = logging.getLogger(__name__)
State = RecipientCheck.State
READ_AGAIN = timedelta(seconds=15)
# A file at which so many readers died is not given to another.
MOST_ATTEMPTS = 3
TIDIED_AT_ONCE = 100


class Stopped(Exception):
    """The check is no longer this reader's: changed, submitted, or taken over."""


def read(check_id: int) -> None:
    """Look through the check's file and store what was found. Safe to run twice, or twice at once."""
    check = _take(check_id)
    if check is None:
        return
    try:
        _read(check)
    except Stopped:
        return
    except uploads.StorageSilent as trouble:
        logger.warning("Check %s is read later: %s", check.pk, trouble)
        # Nobody died of it.
        again = claims.database_now() + min(READ_AGAIN, timedelta(seconds=settings.READING_LEASE_SECONDS))
        _mine(check).update(reading_until=again, attempts=F("attempts") - 1)
    except FileNotFoundError:
        logger.warning("The storage has no recipient file of check %s.", check.pk)
        _end(check, State.FAILED, reasons.keep("bad_file"))
    except Refused as refusal:
        _end(check, State.FAILED, refusal.reason)
    except (DataError, ValueError):
        # What is in the file cannot be stored; the next reader would fare no better.
        logger.exception("The recipient file of check %s cannot be read.", check.pk)
        _end(check, State.FAILED, reasons.keep("bad_file"))


def unread() -> list[int]:
    """Return the checks that wait for a reader, or whose reader is dead."""
    now = claims.database_now()
    free = Q(reading_until=None) | Q(reading_until__lt=now)
    return list(RecipientCheck.objects.unread().filter(free).order_by("pk").values_list("pk", flat=True))


def begin_anew(check: RecipientCheck) -> None:
    """Let the file be read again, by what holds now; who reads it at present stores nothing more."""
    check.state = State.WAITING
    check.reason = ""
    check.reading_until = check.finished_at = None
    check.turn += 1
    check.attempts = check.rows_read = check.good_count = 0
    check.bad_counts = {}


def rows_of(block: CheckedBlock) -> list[CheckedRow]:
    return [CheckedRow(*row) for row in orjson.loads(zlib.decompress(bytes(block.packed)))]


def bad_rows(check: RecipientCheck) -> Iterator[CheckedRow]:
    """Yield the rows that become no mail, in the file's order, one block in memory."""
    blocks = CheckedBlock.objects.filter(check_of=check, bad_count__gt=0).order_by("last_row")
    for block in blocks.iterator(chunk_size=4):
        yield from examination.bad_of(rows_of(block))


def _lease_until(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.READING_LEASE_SECONDS)


@transaction.atomic
def _take(check_id: int) -> RecipientCheck | None:
    now = claims.database_now()
    free = Q(reading_until=None) | Q(reading_until__lt=now)
    taken = RecipientCheck.objects.unread().filter(free, pk=check_id).update(
        state=State.READING, reading_until=_lease_until(now), turn=F("turn") + 1, attempts=F("attempts") + 1,
        rows_read=0, good_count=0, bad_counts={},
    )  # fmt: skip
    if not taken:
        return None
    CheckedBlock.objects.filter(check_of=check_id).delete()
    check = RecipientCheck.objects.select_related("template_version").get(pk=check_id)
    if check.attempts > MOST_ATTEMPTS:
        _end(check, State.FAILED, reasons.keep("bad_file"))
        return None
    return check


def _read(check: RecipientCheck) -> None:
    version = check.template_version
    if version is None:
        raise Refused(reasons.keep("no_template"))
    counts: Counter[str] = Counter()
    with uploads.local_copy(check.recipient_file) as path:
        sheet = examination.open_file(path, version)
        check.header = sheet.header
        for block in examination.examine(sheet, version, check.tenant_id):
            counts += block.counts
            _store(check, block, counts)
    if not counts:
        raise Refused(reasons.keep("no_rows"))
    _end(check, State.DONE, "")


@transaction.atomic
def _store(check: RecipientCheck, block: Block, counts: Counter[str]) -> None:
    store_block(check, block)
    written = _mine(check).update(
        header=check.header,
        rows_read=counts.total(),
        good_count=counts[GOOD],
        bad_counts={reason: number for reason, number in counts.items() if reason != GOOD},
        reading_until=_lease_until(claims.database_now()),
    )
    if not written:
        raise Stopped


def store_block(check: RecipientCheck, block: Block) -> None:
    plain = orjson.dumps([(row.number, row.reason, row.cells) for row in block.rows])
    CheckedBlock.objects.create(
        check_of=check,
        first_row=block.rows[0].number,
        last_row=block.rows[-1].number,
        good_count=block.counts[GOOD],
        bad_count=len(block.rows) - block.counts[GOOD],
        packed=zlib.compress(plain, level=1),
    )


def _end(check: RecipientCheck, state: RecipientCheck.State, reason: str) -> None:
    now = claims.database_now()
    _mine(check).update(state=state, reason=reason, finished_at=now, reading_until=None)


def _mine(check: RecipientCheck) -> RecipientCheckQuerySet:
    """Keep the check while it is still this reader's."""
    return RecipientCheck.objects.filter(pk=check.pk, turn=check.turn, state=State.READING)


def tidy_checks() -> int:
    """Delete checks that nobody touched for CHECK_KEPT_DAYS, and what no task took over of their files.

    Returns how many there were; at most a hundred at once.
    """
    gone = 0
    for check in RecipientCheck.objects.expired().order_by("changed_at")[:TIDIED_AT_ONCE]:
        gone += _tidy(check)
    return gone


@transaction.atomic
def _tidy(check: RecipientCheck) -> int:
    held = RecipientCheck.objects.expired().select_for_update(of=("self",)).filter(pk=check.pk).first()
    if held is None:
        return 0
    files = [
        row.file
        for row in held.attachments.all()
        if not Attachment.objects.filter(file=row.file.name).exists()
    ]
    if not Task.objects.filter(recipient_file=held.recipient_file.name).exists():
        files.append(held.recipient_file)
    held.delete()
    for file in files:
        transaction.on_commit(lambda file=file: uploads.discard(file))  # type: ignore[misc]
    return 1
