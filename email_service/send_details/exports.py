"""发送明细 as a file: the list's own rows, read by batches; addresses stay masked unless their right was used."""

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from typing import Any

from django.db import models
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from email_service.downloads.sources import Sheet, Source
from email_service.send_details.filters import MessageFilter
from email_service.send_details.models import Message
from email_service.send_details.queries import Line, lines
from iam.models import Tenant
from koomessage.common.paging import batches

BATCH = 2_000
_COLUMNS = ("id", "task_id", "recipient", "params", "status", "accepted_at", "finished_at")
_OF_TASKS = (
    "code", "name", "method", "template_title", "template_code", "subject", "sender", "template_version__parameters",
)  # fmt: skip


def message_sheet(tenant: Tenant, query: QueryDict, is_revealed: bool) -> Sheet:
    rows = MessageFilter(query).narrow_for(Message.objects.for_tenant(tenant), tenant)
    headings = [
        _("Message ID"), _("Task name"), _("Task ID"), _("Method"), _("Sending status"), _("Template name"),
        _("Template ID"), _("Subject"), _("Sender"), _("Recipient"), _("Created"), _("Received"),
    ]  # fmt: skip
    return Sheet(headings, _batches(rows, is_revealed), rows.order_by().count())


def _batches(rows: models.QuerySet[Message], is_revealed: bool) -> Iterator[Sequence[Sequence[object]]]:
    """Yield the newest first. Each batch is a query of its own: no reading transaction lasts as long as the export.

    Tasks are read once for many messages of theirs, and their columns made once: a join would do so for each row.
    """
    statuses = {value: str(label) for value, label in Message.Status.choices}
    zone = timezone.get_current_timezone()
    tasks: dict[int, Any] = {}
    for found in batches(rows.only(*_COLUMNS), "-accepted_at", BATCH):
        tasks = _tasks_of(found, tasks)
        for message in found:
            message.task = tasks[message.task_id]
        cells = {pk: _task_cells(task) for pk, task in tasks.items()}
        yield [
            _cells(line, cells[line.message.task_id], statuses, zone, is_revealed) for line in lines(found)
        ]


def _tasks_of(messages: Sequence[Message], known: dict[int, Any]) -> dict[int, Any]:
    """Return the messages' tasks with the versions that were sent; what is known is not read again."""
    wanted = {message.task_id for message in messages}
    tasks = Message._meta.get_field("task").related_model._default_manager
    read = tasks.select_related("template_version").filter(pk__in=wanted - known.keys())
    fresh = {task.pk: task for task in read.only(*_OF_TASKS)}
    return {pk: fresh.get(pk) or known[pk] for pk in wanted}


def _task_cells(task: Any) -> tuple[str, ...]:
    return task.name, task.code, task.get_method_display(), task.template_title, task.template_code


def _cells(
    line: Line, of_task: tuple[str, ...], statuses: dict[str, str], zone: tzinfo, is_revealed: bool
) -> list[object]:
    message = line.message
    name, code, method, template_title, template_code = of_task
    return [
        str(message.pk),
        name,
        code,
        method,
        statuses.get(message.status, message.status),
        template_title,
        template_code,
        line.subject,
        line.sender,
        message.recipient if is_revealed else line.recipient,
        _moment(message.accepted_at, zone),
        _moment(message.finished_at, zone),
    ]


def _moment(value: datetime | None, zone: tzinfo) -> str:
    return value.astimezone(zone).isoformat(" ", "seconds")[:19] if value else ""


MESSAGES = Source(
    name="messages",
    label=gettext_lazy("Send details"),
    permission="email_service.export_message",
    reveal_permission="email_service.reveal_message",
    action="kooMessage:emailSendDetail:export",
    reveal_action="kooMessage:emailSendDetail:reveal",
    open=message_sheet,
)
