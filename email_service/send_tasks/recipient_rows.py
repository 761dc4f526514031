"""The rows of a recipient file, each judged by itself: what the check before submitting and the task itself read.

Both ask here, so that they never disagree. No database.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeVar

from django.conf import settings

from email_service.mail_templates import rendering
from email_service.mail_templates.models import BodyType
from email_service.send_tasks import columns, reasons
from koomessage.common import spreadsheets
from koomessage.common.mailbox import BadAddress, Mailbox, normalise

Item = TypeVar("Item")
# Row number, address as written, values of the parameters.
Row = tuple[int, str, tuple[str, ...]]


class Refused(Exception):
    """The file, or what is left of it, cannot be sent to; `reason` is kept with the task."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


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
    last: int = 0


@dataclass(frozen=True)
class Sheet:
    """The first sheet of a recipient file: its header, and below it the rows that hold anything."""

    header: list[str]
    layout: columns.Layout
    rows: Iterator[tuple[int, list[str]]]

    def row(self, number: int, cells: Sequence[str]) -> Row:
        return number, self.layout.address_in(cells), self.layout.values_in(cells)


def open_sheet(path: Path, parameters: Sequence[str]) -> Sheet:
    """Judge the file and its header. Raises Refused, as reading its rows may."""
    try:
        with path.open("rb") as file:
            spreadsheets.check_content(file)
        rows = spreadsheets.rows(path)
        # The header is the first row that holds anything.
        header = next((cells for _, cells in rows if any(cells)), [])
        return Sheet(header, columns.match(header, parameters), _below(rows))
    except columns.BadHeader as problem:
        raise Refused(
            reasons.keep("missing_columns", problem.missing) if problem.missing else reasons.keep("bad_file")
        ) from problem
    except (spreadsheets.BadSpreadsheet, OSError) as problem:
        raise Refused(reasons.keep("bad_file")) from problem


def _below(rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    last = settings.MAX_RECIPIENT_ROWS + 1
    try:
        for number, cells in rows:
            if any(cells):
                if number > last:
                    raise Refused(reasons.keep("too_many_rows", f"{settings.MAX_RECIPIENT_ROWS:,}"))
                yield number, cells
    except (spreadsheets.BadSpreadsheet, OSError) as problem:
        raise Refused(reasons.keep("bad_file")) from problem


def judged_rows(
    path: Path, parameters: Sequence[str], links: Sequence[int], *, after: int, size: int
) -> Iterator[Sorted]:
    """Yield chunks of so many judged rows, those up to the row number `after` left out."""
    sheet = open_sheet(path, parameters)
    rows = (sheet.row(number, cells) for number, cells in sheet.rows if number > after)
    for chunk in chunks(rows, size):
        yield judge(chunk, links)


def chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    items = iter(items)
    while chunk := list(islice(items, size)):
        yield chunk


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Make the next item in a thread of its own while the caller waits for the database to take the last."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        coming = thread.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield item


def judge(rows: Iterable[Row], links: Sequence[int] = ()) -> Sorted:
    """Sort rows by what can be said of each by itself; `links` are the places of values that are link addresses."""
    found = Sorted()
    for number, address, values in rows:
        found.last = number
        mailbox, reason = _mailbox(address)
        if mailbox is None:
            pass
        elif not all(values):
            reason = "no_value"
        elif values and max(map(len, values)) > columns.LONGEST_VALUE:
            reason = "long_value"
        elif links and not all(values[place].lower().startswith(("http://", "https://")) for place in links):
            reason = "bad_link"
        if reason or mailbox is None:
            found.bad.append((number, address, reason))
        else:
            found.good.append(Wanted(number, mailbox, values))
    return found


def _mailbox(address: str) -> tuple[Mailbox | None, str]:
    if not address:
        return None, "no_address"
    try:
        return normalise(address), ""
    except BadAddress:
        return None, "bad_address"


def link_places(version: rendering.Mail) -> list[int]:
    """Return which of the parameters stand where a link's address begins."""
    if version.body_type != BodyType.RICH:
        return []
    names = rendering.link_parameters(version.body)
    return [place for place, name in enumerate(version.parameters) if name in names]
