"""What the pages of 发送明细 show of messages."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from email_service.delivery.replies import Cause, explain
from email_service.delivery.slots import Slotted, cut_at_slots
from email_service.mail_templates.rendering import preview
from email_service.send_details.finding import Search
from email_service.send_details.models import Attempt, ColumnChoice, Event, Message, mask
from iam.models import Tenant, User
from koomessage.common.paging import beyond

MOST_RELATED = 10

# What a row of the list needs of its task and of the version that was sent.
_COLUMNS = (
    "id", "tenant_id", "recipient", "params", "status", "accepted_at", "finished_at",
    "task__code", "task__name", "task__method", "task__template_title", "task__template_code", "task__template",
    "task__subject", "task__sender", "task__template_version__parameters",
)  # fmt: skip

CAUSES: dict[Cause, Promise] = {
    Cause.NO_MAILBOX: _("The mailbox does not exist."),
    Cause.MAILBOX_FULL: _("The mailbox is full."),
    Cause.POLICY: _("The receiving server refuses this mail by its policy."),
    Cause.RATE: _("The receiving server asks for a slower pace; the platform tries again."),
    Cause.SETUP: _("The receiving side is not set up to take this mail."),
    Cause.TEMPORARY: _("The receiving server cannot take it now; the platform tries again."),
    Cause.PERMANENT: _("The receiving server refuses this mail."),
}
ENDS: dict[str, Promise] = {
    Message.Status.DELIVERED: _("The receiving server took the mail."),
    Message.Status.FAILED: _("The mail could not be delivered."),
    Message.Status.REJECTED: _("The mail was rejected."),
    Message.Status.EXPIRED: _("No server took the mail in time; the platform tries no longer."),
    Message.Status.CANCELLED: _("The mail was cancelled before it was sent."),
}
# By the reason on the suppression list.
SUPPRESSIONS: dict[str, str | Promise] = {
    "bounce": _("The mailbox cannot be reached; your tasks do not write to this address any more."),
    "full": _("The mailbox has been full for weeks; your tasks do not write to this address any more."),
}
REASONS: dict[str, str | Promise] = dict(Message.EndReason.choices)
# What the platform's staff made of a message in doubt.
DECISIONS: dict[str, str | Promise] = {
    Message.Status.PENDING: _("The mail is sent again, with the same message ID."),
    Message.Status.DELIVERED: _("The mail was found to have arrived."),
    Message.Status.FAILED: _(
        "The mail was found not to have arrived, and is not sent again. It costs nothing."
    ),
}


@dataclass(frozen=True)
class Line:
    """A message as a row of the list or of the export; addresses are masked."""

    message: Message
    subject: str
    sender: str
    recipient: str


@dataclass(frozen=True)
class Moment:
    """A point of a message's timeline; `attempt` where it is one, `tone` as of a status."""

    at: datetime
    title: str | Promise
    tone: str
    icon: str
    text: str | Promise = ""
    attempt: Attempt | None = None
    cause: str | Promise = ""
    by: str = ""  # who was shown something
    has_source: bool = False  # the whole source, rather than the address

    @property
    def milliseconds(self) -> int:
        """How long the attempt took; 0 where it is none."""
        if self.attempt is None:
            return 0
        return round((self.attempt.finished_at - self.attempt.started_at).total_seconds() * 1000)


def listed(rows: models.QuerySet[Message]) -> models.QuerySet[Message]:
    """Fetch with the messages what `lines` needs, and no more."""
    return rows.select_related("task__template_version").only(*_COLUMNS)


def has_any(tenant: Tenant) -> bool:
    """Say whether anything was ever sent, so that an empty list can say what is the matter."""
    return Message.objects.filter(tenant=tenant).exists()


def lines(messages: Iterable[Message]) -> Iterator[Line]:
    """Yield the messages with their own subject; a task's subject is cut once, whatever number it has."""
    cuts: dict[int, Slotted | None] = {}
    for message in messages:
        task = message.task
        if message.task_id not in cuts:
            cuts[message.task_id] = _cut(task.subject, task.template_version.parameters)
        yield Line(
            message, _filled(cuts[message.task_id], message), mask(task.sender), message.masked_recipient
        )


def line_of(message: Message) -> Line:
    return next(lines([message]))


def _cut(subject: str, parameters: list[str]) -> Slotted | None:
    try:
        return cut_at_slots(subject, {name: place for place, name in enumerate(parameters)})
    except ValueError:
        return None


def _filled(cut: Slotted | None, message: Message) -> str:
    """Return the subject as the recipient got it; as it was written where the values do not fit it."""
    try:
        return cut.fill([str(value) for value in message.params]) if cut else message.task.subject
    except IndexError:
        return message.task.subject


def timeline(message: Message) -> list[Moment]:
    """Return everything that happened to the message, oldest first."""
    moments = [
        Moment(message.accepted_at, _("Accepted"), "info", "inbox", _("The platform took the mail over."))
    ]
    moments += [_attempt(row) for row in message.attempt_rows.all()]
    moments += [moment for row in message.events.all() if (moment := _event(row)) is not None]
    # An attempt and the end it led to share a moment: what was said first stands first.
    return sorted(moments, key=lambda moment: moment.at)


def _attempt(row: Attempt) -> Moment:
    code = row.code or 0
    cause: Any = CAUSES.get(explain(code, row.enhanced, row.text).cause, "") if code >= 400 else ""
    tone = {"delivered": "ok", "failed": "failed", "rejected": "failed"}.get(row.verdict, "pending")
    return Moment(
        row.finished_at,
        _("Attempt %(number)s") % {"number": row.number},
        tone,
        "send",
        attempt=row,
        cause=cause,
    )


# How kinds look that only say that they happened; one that only a later version knows looks like the last.
_LOOKS = {
    Event.Kind.UNSUBSCRIBED: ("warning", "mail-x"),
    Event.Kind.DECIDED: ("info", "gavel"),
    Event.Kind.SUPPRESSED: ("warning", "ban"),
    Event.Kind.REVEALED: ("secondary", "eye"),
    "": ("secondary", "circle-dot"),
}


def _event(row: Event) -> Moment | None:
    if row.kind == Event.Kind.ACCEPTED:
        return None  # the message's own moment
    status, reason = str(row.detail.get("status", "")), str(row.detail.get("reason", ""))
    if row.kind == Event.Kind.ENDED:
        label = dict(Message.Status.choices).get(status, status)
        return Moment(row.at, label, status, "flag", REASONS.get(reason, "") or ENDS.get(status, ""))
    texts: dict[str, str | Promise] = {
        Event.Kind.UNSUBSCRIBED: _(
            "The recipient unsubscribed; your tasks do not write to this address any more."
        ),
        Event.Kind.DECIDED: DECISIONS.get(status, ""),
        Event.Kind.SUPPRESSED: SUPPRESSIONS.get(reason, ""),
    }
    tone, icon = _LOOKS.get(row.kind, _LOOKS[""])
    by = str(row.detail.get("login", "")) if row.kind == Event.Kind.REVEALED else ""
    has_source = row.detail.get("what") == "source"
    return Moment(
        row.at,
        _("Source downloaded") if by and has_source else row.get_kind_display(),
        tone,
        "file-down" if has_source else icon,
        texts.get(row.kind, ""),
        by=by,
        has_source=has_source,
    )


def chosen_columns(user: User) -> Collection[str] | None:
    """Return the columns the user chose, None where none were chosen."""
    return ColumnChoice.objects.filter(user=user).values_list("columns", flat=True).first()


def related(message: Message) -> list[Message]:
    """Return the latest other messages of the account to the same recipient."""
    rows = Message.objects.filter(tenant=message.tenant_id, recipient_key=message.recipient_key)
    latest = listed(rows).order_by("-accepted_at", "-pk")
    return [row for row in latest[: MOST_RELATED + 1] if row.pk != message.pk][:MOST_RELATED]


def beside(message: Message, *, later: bool) -> int | None:
    """Return the id of the next or the previous message of the task, as the list has them; None at its end."""
    sign = "" if later else "-"
    rows = Message.objects.filter(beyond("accepted_at", (message.accepted_at, message.pk), up=later))
    rows = rows.order_by(f"{sign}accepted_at", f"{sign}pk")
    tasks = type(message.task).objects.filter(pk=message.task_id)
    found = Search(message.tenant_id, rows, tasks=tasks).fetch(rows, 1)
    return found[0].pk if found else None


def sent_document(message: Message, *, as_text: bool = False) -> str:
    """Return the mail as the recipient got it, for the sandboxed frame; links of the recipient's own lead nowhere.

    The recipient's address is masked wherever a value holds it.
    """
    version = message.task.template_version
    hidden = re.compile(re.escape(message.recipient), re.IGNORECASE)
    masked = message.masked_recipient
    values = [hidden.sub(lambda _found: masked, str(value)) for value in message.params]
    return preview(version, dict(zip(version.parameters, values, strict=False)), as_text=as_text)
