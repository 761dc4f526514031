"""统计报表 as a file: a workbook, or CSV."""

from collections.abc import Sequence

from django.http import FileResponse
from django.utils.translation import gettext as _

from email_service.reports.tables import Table
from koomessage.common.workbooks import csv_response, workbook_response


def report_file(table: Table, *, is_csv: bool) -> FileResponse:
    rows: Sequence[Sequence[object]] = [*table.rows, table.total]
    respond = csv_response if is_csv else workbook_response
    return respond(_("Reports"), [str(heading) for heading in table.headings], rows)
