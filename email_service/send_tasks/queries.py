"""What pages and other sections read of the send tasks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from email_service.addresses.models import Address
from email_service.domains.models import Domain
from email_service.mail_templates.models import Picture, Template
from email_service.send_details import closing
from email_service.send_details.models import Message
from email_service.send_tasks import reasons
from email_service.send_tasks.models import RejectedRow, Task
from iam.models import Tenant
from koomessage.common.errors import Link, RuleViolation

SHOWN_ROWS = 100


def tasks_of_domain(domain: Domain) -> RuleViolation | None:
    """Refuse by the unfinished task that still signs with the domain."""
    return _use(Task.objects.unfinished().filter(domain=domain))


def tasks_of_address(address: Address) -> RuleViolation | None:
    """Refuse by the unfinished task that still sends from the address."""
    return _use(Task.objects.unfinished().filter(address=address))


def tasks_of_picture(picture: Picture) -> RuleViolation | None:
    """Refuse by the unfinished task whose frozen version, perhaps no longer the current one, shows the picture."""
    tasks = Task.objects.for_tenant(picture.tenant).unfinished()
    return _use(tasks.filter(template_version__body__contains=picture.token))


def _use(tasks: QuerySet[Task]) -> RuleViolation | None:
    task = tasks.order_by("-created_at", "-pk").first()
    if task is None:
        return None
    sentence = _("The send task “{name}” still uses it. Wait until it has ended, or cancel it.")
    link = Link(task.get_absolute_url(), _("Open the task"), "email_service.view_task", task)
    return RuleViolation(format_lazy(sentence, name=task.name), link=link)


def sendable_templates(tenant: Tenant) -> QuerySet[Template]:
    return Template.objects.sendable_by(tenant).filter(is_deleted=False).order_by("-tenant", "-created_at")


def usable_addresses(tenant: Tenant) -> QuerySet[Address]:
    return Address.objects.for_tenant(tenant).usable().order_by("address")


def prefilled(task: Task) -> dict[str, Any]:
    """Return what the form for a new task like this one begins with.

    Template and sender only where they may still be chosen; no files, and no hour, which has passed.
    """
    longest = Task._meta.get_field("name").max_length or 64
    suffix = gettext(" copy")
    typed = task.source == Task.Source.MANUAL
    return {
        "name": task.name[: longest - len(suffix)] + suffix,
        "subject": task.subject,
        "template": sendable_templates(task.tenant).filter(pk=task.template_id or 0).first(),
        "address": usable_addresses(task.tenant).filter(pk=task.address_id or 0).first(),
        "send_type": task.send_type,
        "source": Task.Source.MANUAL if typed else Task.Source.FILE,
        "recipients": "\n".join(task.typed_recipients),
    }


@dataclass(frozen=True, slots=True)
class RowProblem:
    number: int
    value: str
    reason: str | Promise


@dataclass(frozen=True, slots=True)
class Split:
    """How a task's messages stand, counted now."""

    sent: int
    waiting: int
    cancelled: int
    held: int = 0


def split(task: Task) -> Split:
    """Count what has ended by itself, what has not, and what was cancelled; the task's own figures may be old."""
    found = {status: number for (status,), number in closing.count("status", task=task.pk).items()}
    waiting, held = found.get(Message.Status.PENDING, 0), found.get(Message.Status.HELD, 0)
    cancelled = found.get(Message.Status.CANCELLED, 0)
    return Split(sum(found.values()) - waiting - held - cancelled, waiting, cancelled, held)


def stopped(task: Task, held: int) -> Split | None:
    """Return how a task that was cancelled while it was being sent stands, None for any other."""
    if task.status != Task.Status.CANCELLED or not task.started_at:
        return None
    sent = task.accepted_count - task.pending_count - task.cancelled_count
    return Split(sent, task.pending_count - held, task.cancelled_count, held)


def resends_of(task: Task) -> list[Task]:
    """Return the tasks that reach again whom this one failed to reach."""
    return list(Task.objects.filter(resend_of=task).order_by("pk"))


def can_resend(task: Task, resends: Sequence[Task]) -> bool:
    """Say whether to offer it; what else may stand in the way is said when it is asked for."""
    begun = [row for row in resends if row.is_unfinished or row.started_at]
    return not task.is_unfinished and task.failed_count > 0 and task.template_id is not None and not begun


def removed_count(task: Task) -> int:
    """Return how many of the task's messages are no longer listed, for their age."""
    # Nothing goes within a day, so that the pages of tasks at work ask for nothing.
    if timezone.now() - task.created_at < timedelta(days=1):
        return 0
    return closing.removed(task.pk)


def problem_rows(task: Task, limit: int | None = SHOWN_ROWS) -> list[RowProblem]:
    """Return the file's rows that became no message, in the file's order."""
    rows = RejectedRow.objects.filter(task=task).order_by("row_number")
    return [
        RowProblem(row.row_number, row.value, reasons.ROW.get(row.reason, row.reason)) for row in rows[:limit]
    ]


def problem_count(task: Task) -> int:
    return task.bad_count + task.duplicate_count + task.suppressed_count
