"""The rows of a checked file that become no mail, as a sheet to put right and upload again."""

from collections.abc import Iterator

from django.http import FileResponse
from django.utils.translation import gettext as _

from email_service.send_tasks import checks, reasons
from email_service.send_tasks.models_check import RecipientCheck
from koomessage.common.workbooks import workbook_response


def annotated(check: RecipientCheck) -> FileResponse:
    """Answer with the columns as they were uploaded and one more, which says why; every cell is text."""
    title = _("Why it is not sent")
    while title.lower() in (cell.strip().lower() for cell in check.header):
        # The sheet may be one of these, put right in part.
        title += "+"
    name = f"{check.recipient_file_name.removesuffix('.xlsx')}-" + _("not sent")
    return workbook_response(name, [*check.header, title], _rows(check))


def _rows(check: RecipientCheck) -> Iterator[list[str]]:
    width = len(check.header)
    for row in checks.bad_rows(check):
        cells = [*row.cells, *[""] * (width - len(row.cells))]
        # Cells beyond the header's stay behind the reason.
        yield [*cells[:width], str(reasons.ROW[row.reason]), *cells[width:]]
