"""CSV files for people: UTF-8 with a mark, quoted by RFC 4180, no cell of which a spreadsheet program calculates."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import IO

CONTENT_TYPE = "text/csv; charset=utf-8"
# A cell that begins so is calculated, or run, by spreadsheet programs; also behind blanks, quotes and pipes, which
# some of them leave out, and in the wide forms of East Asian keyboards.
_DANGEROUS = re.compile(r"^[\s\"'|\ufeff\u200b]*[=+\-@\t\r\n＝＋－＠]")


def safe_cell(value: object) -> str:
    """Return the value as it may stand in a cell: text that could be taken for a formula gets an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    text = str(value).replace("\0", "")
    return f"'{text}" if _DANGEROUS.match(text) else text


def write_csv(file: IO[bytes], headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write the rows to the file, row by row, and leave it open."""
    # The mark is how Excel knows the encoding.
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=False, errors="replace")
    lines = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    lines.writerow([safe_cell(heading) for heading in headings])
    lines.writerows([safe_cell(value) for value in row] for row in rows)
    text.flush()
    text.detach()
