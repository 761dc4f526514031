"""xlsx files from outside: judged before they are opened, looked into without loading them, read in a job."""

import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _
from python_calamine import CalamineError, CalamineWorkbook

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

MAX_ENTRIES = 200
MAX_INFLATED = 800 * 2**20
MAX_RATIO = 100
# A small file may well compress better than a large one; no harm can come of this much.
HARMLESS = 8 * 2**20
CHUNK = 2**20
_MARKUP = (".xml", ".rels", ".vml")
_DECLARATION = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_EXTERNAL = re.compile(rb"<Relationship\b[^>]*TargetMode\s*=\s*[\"']External[\"'][^>]*>", re.IGNORECASE)
_HYPERLINK = re.compile(rb"Type\s*=\s*[\"'][^\"']*/hyperlink[\"']", re.IGNORECASE)
UNREADABLE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, NotImplementedError, RuntimeError,
)  # fmt: skip
OLE = b"\xd0\xcf\x11\xe0"

NOT_XLSX = _("This is not an .xlsx file. Save the sheet as an Excel workbook (.xlsx) and upload that.")
OLD_OR_LOCKED = _(
    "This is an old .xls file or has a password. Save it as .xlsx without a password and upload that."
)
DAMAGED = _("This .xlsx file is damaged. Open it in Excel or WPS, save it again and upload that.")
TOO_BIG_INSIDE = _("This .xlsx file is too large once unpacked. Split it into several files.")
FOREIGN_PARTS = _(
    "This .xlsx file refers to other files or holds a document type. Copy the values to a new workbook."
)


class BadSpreadsheet(Exception):
    """The file is not read; `message` says what to do, as a whole sentence."""

    def __init__(self, message: "str | StrPromise") -> None:
        super().__init__(message)
        self.message = message


def check_directory(file: IO[bytes]) -> zipfile.ZipFile:
    """Judge an uploaded file by its first bytes and its zip directory, which costs next to nothing."""
    file.seek(0)
    start = file.read(4)
    if start == OLE:
        raise BadSpreadsheet(OLD_OR_LOCKED)
    if start != b"PK\x03\x04":
        raise BadSpreadsheet(NOT_XLSX)
    try:
        archive = zipfile.ZipFile(file)
    except UNREADABLE as error:
        raise BadSpreadsheet(DAMAGED) from error
    entries = archive.infolist()
    names = {entry.filename for entry in entries}
    if "[Content_Types].xml" not in names or "xl/workbook.xml" not in names:
        raise BadSpreadsheet(NOT_XLSX)
    inflated = sum(entry.file_size for entry in entries)
    stored = sum(entry.compress_size for entry in entries)
    if len(entries) > MAX_ENTRIES or inflated > MAX_INFLATED:
        raise BadSpreadsheet(TOO_BIG_INSIDE)
    if inflated > HARMLESS and inflated > stored * MAX_RATIO:
        raise BadSpreadsheet(TOO_BIG_INSIDE)
    if any(entry.flag_bits & 1 for entry in entries):
        raise BadSpreadsheet(OLD_OR_LOCKED)
    if len(names) < len(entries) or any(name.startswith("xl/externalLinks/") for name in names):
        raise BadSpreadsheet(FOREIGN_PARTS)
    return archive


def check_content(file: IO[bytes]) -> None:
    """Unpack every part once, without keeping it: a directory can lie, and markup can point elsewhere."""
    archive = check_directory(file)
    total = 0
    for entry in archive.infolist():
        before = b""
        size = 0
        try:
            with archive.open(entry) as part:
                while chunk := part.read(CHUNK):
                    size += len(chunk)
                    total += len(chunk)
                    if total > MAX_INFLATED:
                        raise BadSpreadsheet(TOO_BIG_INSIDE)
                    if entry.filename.lower().endswith(_MARKUP):
                        _check_markup(entry.filename, before + chunk)
                        before = chunk[-2000:]
        except UNREADABLE as error:
            raise BadSpreadsheet(DAMAGED) from error


def _check_markup(name: str, text: bytes) -> None:
    # Markup in UTF-16 is read with its zero bytes taken out.
    plain = text.replace(b"\0", b"") if b"\0" in text else text
    # Looked for in two steps: a search without regard to case is slow, and this goes through all of a file.
    if b"<!" in plain and _DECLARATION.search(plain):
        raise BadSpreadsheet(FOREIGN_PARTS)
    if name.endswith(".rels") and any(not _HYPERLINK.search(found) for found in _EXTERNAL.findall(plain)):
        raise BadSpreadsheet(FOREIGN_PARTS)


def rows(source: Path | IO[bytes]) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of each row of the first sheet, as text, the first row being 1.

    The reader holds the whole sheet in memory: for jobs, never for the web process.
    """
    if not isinstance(source, Path):
        source.seek(0)
    try:
        book = CalamineWorkbook.from_object(source)
        sheet = book.get_sheet_by_index(0)
    except (CalamineError, OSError, ValueError, IndexError) as error:
        raise BadSpreadsheet(DAMAGED) from error
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        # Written out, since this runs for each cell of a million rows.
        yield (
            number,
            [cell.strip() if type(cell) is str and "\0" not in cell else as_text(cell) for cell in cells],
        )


def as_text(cell: Any) -> str:
    """Return a cell as a person reads it: 3.0 as 3, moments as 2024-08-16 17:00:00."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S" if cell.time() != time() else "%Y-%m-%d")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    # A workbook may spell a NUL as _x0000_; databases take none.
    return "" if cell is None else str(cell).replace("\0", "").strip()
