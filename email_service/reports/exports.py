"""统计报表 as a workbook."""

from collections.abc import Sequence

from django.http import FileResponse
from django.utils.translation import gettext as _

from email_service.reports.tables import Table
from koomessage.common.workbooks import workbook_response


def report_workbook(table: Table) -> FileResponse:
    rows: Sequence[Sequence[object]] = [*table.rows, table.total]
    return workbook_response(_("Reports"), [str(heading) for heading in table.headings], rows)
