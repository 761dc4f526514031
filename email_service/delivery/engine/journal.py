"""What this host has done with the messages it holds, written down before it is too late to know.

One file per worker process, locked as long as the process lives: whoever gets the lock knows that
the writer is gone. Open it after forking, since a forked child would hold the lock too.
"""

import fcntl
import os
import re
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from email_service.delivery.engine import records
from email_service.delivery.envelopes import Claim, Envelope, Outcome

_SUFFIX = ".journal"
_HIGH_WATER = "high-water"
_FULL = 8 * 1024 * 1024


class JournalUnwritable(Exception):
    """A record could not be written whole; nothing may be sent on the strength of it."""


@dataclass(frozen=True, slots=True)
class Untouched:
    """A claimed message that was certainly not sent."""

    claim_token: int
    message_id: int


@dataclass(frozen=True, slots=True)
class Replay:
    """What open batches came to: replies to apply, messages in doubt, messages never sent."""

    replies: tuple[Outcome, ...]
    in_doubt: tuple[Outcome, ...]
    untouched: tuple[Untouched, ...]


class Journal:
    def __init__(self, path: Path, descriptor: int, *, fsync: bool = False) -> None:
        self.path = path
        self.fsync = fsync
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size
        self._open: set[int] = set()
        self._highest = 0
        self._writing = threading.Lock()

    @classmethod
    def open(cls, folder: Path, worker_id: str, *, fsync: bool = False) -> Self:
        """Start a journal of this process. With `fsync`, marks are on disk before the dot is sent."""
        folder.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"[^A-Za-z0-9_-]", "_", worker_id)[:80]
        while True:
            path = folder / f"{name}.{os.getpid()}.{secrets.token_hex(4)}{_SUFFIX}"
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            if _locked(descriptor, path):
                return cls(path, descriptor, fsync=fsync)
            os.close(descriptor)  # somebody took the new file for an abandoned one

    def claimed(self, claim: Claim) -> None:
        self._append(records.claimed(claim))
        self._open.add(claim.token)
        self._highest = max(self._highest, claim.token)

    def mark(self, token: int, envelope: Envelope, *, host: str, tls: str, started_at: datetime) -> None:
        """Write down that the message's final dot may be sent from now on."""
        self._append(records.marked(token, envelope, host, tls, started_at))

    def unmark(self, token: int, message_id: int) -> None:
        """Take a mark back: the dot was certainly not sent."""
        self._append(records.unmarked(token, message_id))

    def reply(self, outcome: Outcome) -> None:
        self._append(records.replied(outcome))

    def close_batch(self, token: int) -> None:
        """Write down that all of the batch is in the database, and forget what is no longer needed."""
        self._append(records.closed(token))
        self._open.discard(token)
        if not self._open and self._size > _FULL:
            _raise_high_water(self.path.parent, self._highest)
            with self._writing:
                os.ftruncate(self._descriptor, 0)
                self._size = 0

    def sync(self) -> None:
        os.fdatasync(self._descriptor)

    def read(self) -> Iterator[records.Record]:
        with self.path.open("rb") as lines:
            yield from records.intact(lines)

    def remove(self) -> None:
        """Delete the journal once all it says has been applied, and let go of it."""
        _raise_high_water(self.path.parent, max(self._highest, _highest_token(self)))
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _append(self, record: bytes) -> None:
        with self._writing:
            try:
                written = os.write(self._descriptor, record)
            except OSError as error:
                raise JournalUnwritable(
                    f"The journal {self.path.name} cannot be written: {error}."
                ) from error
            if written < len(record):
                # A half line would swallow the next record.
                os.ftruncate(self._descriptor, self._size)
                raise JournalUnwritable(f"The journal {self.path.name} cannot be written: the disk is full.")
            self._size += written


def abandoned(folder: Path) -> Iterator[Journal]:
    """Answer journals whose process is gone, each locked by the caller until `remove` or `close`."""
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        if _locked(descriptor, path):
            yield Journal(path, descriptor)
        else:
            os.close(descriptor)


def replay(journal: Journal, *, with_closed: bool = False) -> Replay:
    """Read what became of each message in the batches that were never closed; with the others for a database
    that may have lost what was written into it.
    """
    claims: dict[int, list[int]] = {}
    marks: dict[tuple[int, int], Outcome] = {}
    replies: dict[tuple[int, int], Outcome] = {}
    for record in journal.read():
        kind, token = record[0], record[1]
        if kind == records.CLAIMED:
            claims[token] = record[2]
        elif kind == records.MARKED:
            marks[token, record[2]] = records.doubtful_outcome(record)
        elif kind == records.UNMARKED:
            marks.pop((token, record[2]), None)
        elif kind == records.REPLIED:
            replies[token, record[2]] = records.reply_outcome(record)
        elif kind == records.CLOSED and not with_closed:
            for message_id in claims.pop(token, ()):
                marks.pop((token, message_id), None)
                replies.pop((token, message_id), None)
    return Replay(
        replies=tuple(replies.values()),
        in_doubt=tuple(outcome for key, outcome in marks.items() if key not in replies),
        untouched=tuple(
            Untouched(token, message_id)
            for token, message_ids in claims.items()
            for message_id in message_ids
            if (token, message_id) not in marks and (token, message_id) not in replies
        ),
    )


def high_water(folder: Path) -> int:
    """Answer the highest claim token this host has ever seen, 0 when none."""
    highest = _read_high_water(folder)
    for path in folder.glob(f"*{_SUFFIX}"):
        try:
            with path.open("rb") as lines:
                highest = max(highest, _highest_of(records.claims_in(lines)))
        except FileNotFoundError:
            # Removed since it was listed: its highest token is in the file of the folder.
            highest = max(highest, _read_high_water(folder))
    return highest


def _locked(descriptor: int, path: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    # It may have been removed between opening and locking.
    return os.fstat(descriptor).st_nlink > 0 and path.exists()


def _highest_token(journal: Journal) -> int:
    if not journal.path.exists():
        return 0
    with journal.path.open("rb") as lines:
        return _highest_of(records.claims_in(lines))


def _highest_of(lines: Iterator[records.Record]) -> int:
    return max((record[1] for record in lines), default=0)


def _read_high_water(folder: Path) -> int:
    try:
        return int((folder / _HIGH_WATER).read_text() or 0)
    except FileNotFoundError:
        return 0


def _raise_high_water(folder: Path, token: int) -> None:
    with (folder / f"{_HIGH_WATER}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if token <= _read_high_water(folder):
            return
        fresh = folder / f"{_HIGH_WATER}.new"
        with fresh.open("w") as file:
            file.write(str(token))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(folder / _HIGH_WATER)
