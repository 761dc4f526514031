"""抑制名单 as a workbook."""

from collections.abc import Iterator

from django.db import models
from django.http import FileResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from email_service.feedback.models import Suppression
from koomessage.common.workbooks import workbook_response


def suppression_workbook(rows: models.QuerySet[Suppression]) -> FileResponse:
    headings = [_("E-mail address"), _("Reason"), _("Note"), _("Created")]
    return workbook_response(_("Suppression list"), headings, _cells(rows))


def _cells(rows: models.QuerySet[Suppression]) -> Iterator[list[object]]:
    for row in rows.iterator(chunk_size=2000):
        created = timezone.localtime(row.created_at).strftime("%Y-%m-%d %H:%M:%S")
        yield [row.address, row.get_reason_display(), row.note, created]
