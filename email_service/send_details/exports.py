"""发送明细 as a workbook; addresses stay masked."""

from collections.abc import Iterator
from datetime import datetime

from django.db import models
from django.http import FileResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from email_service.send_details.models import Message
from email_service.send_details.queries import lines, listed
from koomessage.common.workbooks import workbook_response


def message_workbook(rows: models.QuerySet[Message]) -> FileResponse:
    headings = [
        _("Message ID"), _("Task name"), _("Task ID"), _("Method"), _("Sending status"), _("Template name"),
        _("Template ID"), _("Subject"), _("Sender"), _("Recipient"), _("Created"), _("Received"),
    ]  # fmt: skip
    return workbook_response(_("Send details"), headings, _cells(rows))


def _cells(rows: models.QuerySet[Message]) -> Iterator[list[object]]:
    for line in lines(listed(rows).iterator(chunk_size=2000)):
        message, task = line.message, line.message.task
        yield [
            str(message.pk),
            task.name,
            task.code,
            task.get_method_display(),
            message.get_status_display(),
            task.template_title,
            task.template_code,
            line.subject,
            line.sender,
            line.recipient,
            _moment(message.accepted_at),
            _moment(message.finished_at),
        ]


def _moment(value: datetime | None) -> str:
    return timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S") if value else ""
