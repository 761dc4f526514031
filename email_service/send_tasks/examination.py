"""Looks through a whole recipient file and says of each row what becomes of it; writes nothing.

Rows are judged by the code that reads a task's, so that a check and the task after it say the same.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from email_service.feedback.queries import suppressed_keys
from email_service.mail_templates import rendering
from email_service.send_tasks.recipient_rows import (
    Sheet,
    Sorted,
    ahead,
    chunks,
    judge,
    link_places,
    open_sheet,
)
from koomessage.common.uploads import StorageSilent

BLOCK = 2_000
GOOD = ""
Cells = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """A row of the file and why it becomes no mail; GOOD where it becomes one."""

    number: int
    reason: str
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Block:
    rows: list[CheckedRow]
    counts: Counter[str]


class Seen:
    """The addresses met so far, in a database of its own: a set of a million texts takes too much memory.

    It has no name on the disk and goes with the process.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute("CREATE TABLE seen (key BLOB PRIMARY KEY) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def close(self) -> None:
        self._database.close()

    def repeated(self, keys: Sequence[str]) -> set[int]:
        """Return the places of the keys that were met before, and note all of them."""
        insert = "INSERT OR IGNORE INTO seen VALUES (?)"
        execute = self._database.execute
        try:
            return {
                place
                for place, key in enumerate(keys)
                if not execute(insert, (blake2b(key.encode(), digest_size=16).digest(),)).rowcount
            }
        except sqlite3.OperationalError as trouble:
            raise StorageSilent(f"Addresses cannot be compared on this host now: {trouble}") from trouble


def open_file(path: Path, version: rendering.Mail) -> Sheet:
    """Judge the file and its header by the template's version. Raises Refused."""
    return open_sheet(path, version.parameters)


def examine(sheet: Sheet, version: rendering.Mail, tenant_id: int | None) -> Iterator[Block]:
    """Yield the file's rows, block by block; without an account no address is suppressed. Raises Refused."""
    with closing(Seen()) as seen:
        for rows, judged in ahead(_judged(sheet, link_places(version))):
            reasons = {number: reason for number, _value, reason in judged.bad}
            keys = [row.mailbox.key for row in judged.good]
            suppressed = set() if tenant_id is None else suppressed_keys(tenant_id, keys)
            kept = [row for row in judged.good if row.mailbox.key not in suppressed]
            reasons |= {row.number: "suppressed" for row in judged.good if row.mailbox.key in suppressed}
            repeated = seen.repeated([row.mailbox.key for row in kept])
            reasons |= {kept[place].number: "duplicate" for place in repeated}
            checked = [CheckedRow(number, reasons.get(number, GOOD), cells) for number, cells in rows]
            yield Block(checked, Counter(row.reason for row in checked))


def _judged(sheet: Sheet, links: Sequence[int]) -> Iterator[tuple[list[Cells], Sorted]]:
    for rows in chunks(sheet.rows, BLOCK):
        yield rows, judge((sheet.row(number, cells) for number, cells in rows), links)


def bad_of(rows: Iterable[CheckedRow]) -> Iterator[CheckedRow]:
    return (row for row in rows if row.reason != GOOD)
