"""xlsx files for people: every cell is text or a count, so that no stranger's value becomes a formula."""

import tempfile
from collections.abc import Iterable, Sequence
from typing import IO, Any
from urllib.parse import quote

import xlsxwriter
from django.http import FileResponse

from koomessage.common import csv_files

# A sheet of Excel ends there; one row is the heading.
MAX_ROWS = 1_048_576 - 1
CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAX_CELL = 32_767


def write_workbook(file: IO[bytes], headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write the rows to the file, row by row; what one sheet cannot hold goes on in the next."""
    book = xlsxwriter.Workbook(file, {"constant_memory": True})
    bold = book.add_format({"bold": True})
    sheet = _sheet(book, headings, bold)
    number = 0
    for row in rows:
        if number == MAX_ROWS:
            sheet, number = _sheet(book, headings, bold), 0
        number += 1
        for column, value in enumerate(row):
            # Never `write`: it turns "=…" into a formula and "http…" into a link.
            if isinstance(value, int):
                sheet.write_number(number, column, value)
            else:
                sheet.write_string(number, column, "" if value is None else str(value)[:MAX_CELL])
    book.close()


def _sheet(book: xlsxwriter.Workbook, headings: Sequence[str], bold: Any) -> Any:
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(headings) - 1, 22)
    for column, heading in enumerate(headings):
        sheet.write_string(0, column, str(heading), bold)
    return sheet


def workbook_response(name: str, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> FileResponse:
    """Write the rows to a file on disk, row by row, and answer with it as a download called `name`.xlsx."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  the response closes it
    write_workbook(file, headings, rows)
    file.seek(0)
    return download(file, f"{name}.xlsx")


def csv_response(name: str, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> FileResponse:
    """The same as a CSV file."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  the response closes it
    csv_files.write_csv(file, headings, rows)
    file.seek(0)
    return download(file, f"{name}.csv")


def download(file: IO[bytes], name: str) -> FileResponse:
    """Answer with a file to be kept under this name, never to be shown."""
    kind = csv_files.CONTENT_TYPE if name.endswith(".csv") else CONTENT_TYPE
    response = FileResponse(file, as_attachment=True, content_type=kind)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    response["X-Content-Type-Options"] = "nosniff"
    return response
