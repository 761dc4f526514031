"""发送明细 as a file: the list's own rows, read by batches; addresses stay masked unless their right was used."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import models
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from email_service.downloads.sources import Sheet, Source
from email_service.send_details.filters import MessageFilter
from email_service.send_details.models import Message
from email_service.send_details.queries import Line, lines, listed
from iam.models import Tenant
from koomessage.common.paging import batches

BATCH = 2_000


def message_sheet(tenant: Tenant, query: QueryDict, is_revealed: bool) -> Sheet:
    rows = MessageFilter(query).narrow_for(Message.objects.for_tenant(tenant), tenant)
    headings = [
        _("Message ID"), _("Task name"), _("Task ID"), _("Method"), _("Sending status"), _("Template name"),
        _("Template ID"), _("Subject"), _("Sender"), _("Recipient"), _("Created"), _("Received"),
    ]  # fmt: skip
    return Sheet(headings, _batches(rows, is_revealed), rows.order_by().count())


def _batches(rows: models.QuerySet[Message], is_revealed: bool) -> Iterator[Sequence[Sequence[object]]]:
    """Yield the newest first. Each batch is a query of its own: no reading transaction lasts as long as the export."""
    for found in batches(listed(rows), "-accepted_at", BATCH):
        yield [_cells(line, is_revealed) for line in lines(found)]


def _cells(line: Line, is_revealed: bool) -> list[object]:
    message, task = line.message, line.message.task
    return [
        str(message.pk),
        task.name,
        task.code,
        task.get_method_display(),
        message.get_status_display(),
        task.template_title,
        task.template_code,
        line.subject,
        line.sender,
        message.recipient if is_revealed else line.recipient,
        _moment(message.accepted_at),
        _moment(message.finished_at),
    ]


def _moment(value: datetime | None) -> str:
    return timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S") if value else ""


MESSAGES = Source(
    name="messages",
    label=gettext_lazy("Send details"),
    permission="email_service.export_message",
    reveal_permission="email_service.reveal_message",
    action="kooMessage:emailSendDetail:export",
    reveal_action="kooMessage:emailSendDetail:reveal",
    open=message_sheet,
)
