"""Sheets a task gives away: the sample file to fill in, and the rows that became no message."""

from io import BytesIO

import xlsxwriter
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill

from email_service.mail_templates import rendering
from email_service.mail_templates.models import Template
from email_service.send_tasks import columns, queries
from email_service.send_tasks.models import Task

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def sample(template: Template | None) -> bytes:
    """Return a workbook with the columns the template needs, an example row, and a sheet of notes."""
    version = template.version if template else None
    parameters = list(version.parameters) if version else []
    book = Workbook()
    sheet = book.active
    sheet.title = _("Recipients")
    sheet.append([columns.ADDRESS_HEADER, *parameters])
    values = rendering.samples(version) if version else {}
    sheet.append(["zhangsan@example.com", *[values[name] for name in parameters]])
    for head, example in zip(sheet[1], sheet[2], strict=True):
        head.font = Font(bold=True)
        head.fill = PatternFill("solid", fgColor="DDF0EC")
        example.font = Font(color="6B7280", italic=True)
        column = sheet.column_dimensions[head.column_letter]
        column.width = 28
        # As text, a code keeps its zeros and a long number its digits.
        column.number_format = head.number_format = example.number_format = "@"
    sheet.freeze_panes = "A2"
    notes = book.create_sheet(_("Notes"))
    notes.column_dimensions["A"].width = 90
    for line in (
        _("One recipient a row. Replace the example row; keep the first row as it is."),
        _("Only the first sheet is read."),
        _(
            "Every column after the address holds the value of the parameter of the same name; none may be empty."
        ),
        _("An address that stands there twice gets one mail; addresses on the suppression list get none."),
        _("The columns are set to text; keep them so, or the spreadsheet program shortens long numbers."),
    ):
        notes.append([line])
        notes.cell(notes.max_row, 1).alignment = Alignment(wrap_text=True, vertical="top")
    target = BytesIO()
    book.save(target)
    return target.getvalue()


def problem_rows(task: Task) -> bytes:
    """Return the rows that became no message; every cell is text, never a formula."""
    target = BytesIO()
    book = xlsxwriter.Workbook(target, {"constant_memory": True})
    sheet = book.add_worksheet(_("Rows not sent"))
    sheet.set_column(0, 0, 10)
    sheet.set_column(1, 2, 48)
    for column, title in enumerate((_("Row"), _("Value"), _("Reason"))):
        sheet.write_string(0, column, title)
    for line, row in enumerate(queries.problem_rows(task, limit=None), start=1):
        sheet.write_number(line, 0, row.number)
        sheet.write_string(line, 1, row.value)
        sheet.write_string(line, 2, str(row.reason))
    book.close()
    return target.getvalue()
