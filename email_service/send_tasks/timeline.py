"""A task's history for its page: every step with its time and person, and what comes next."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from email_service.send_tasks.models import Task
from email_service.send_tasks.models_events import TaskEvent

Kind = TaskEvent.Kind
_ENDS: dict[str, Kind] = {
    Task.Status.FINISHED: Kind.FINISHED,
    Task.Status.CANCELLED: Kind.CANCELLED,
    Task.Status.FAILED: Kind.FAILED,
}
# The reasons of a pause that are said in the step itself; the page says all of them in full while they hold.
_REASONS = {"late": _("Its hour had passed"), "mail": _("Its mail could not be made")}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a task's timeline; `at` is the expected time where it is not done."""

    label: str | Promise
    at: datetime | None
    is_done: bool
    by: str = ""
    rows: int | None = None
    note: str | Promise = ""


def timeline(task: Task) -> list[Step]:
    """Return what has happened to the task in its order, and what comes next. One query."""
    events = list(TaskEvent.objects.filter(task=task).order_by("at", "pk"))
    steps = [_step(event) for event in events]
    steps += _unnoted(task, {event.kind for event in events})
    is_scheduled = task.send_type == Task.SendType.SCHEDULED
    has_come = task.due_at <= timezone.now()
    if is_scheduled and has_come and (task.is_unfinished or task.started_at):
        steps.append(Step(_("Due"), task.due_at, True))
    # What was noted first stands first where two steps share a moment.
    steps.sort(key=lambda step: step.at or task.created_at)
    if task.status == Task.Status.PREPARING:
        steps.append(Step(Kind.READ.label, None, False))
    if is_scheduled and not has_come and task.is_unfinished:
        steps.append(Step(_("Due"), task.due_at, False))
    if task.is_unfinished:
        steps.append(Step(Kind.FINISHED.label, None, False))
    return steps


def _step(event: TaskEvent) -> Step:
    reason = str(event.detail.get("reason", "")).partition(":")[0]
    return Step(
        event.get_kind_display(),
        event.at,
        True,
        by=str(event.detail.get("by", "")),
        rows=event.detail.get("rows"),
        note=_REASONS.get(reason, ""),
    )


def _unnoted(task: Task, noted: set[str]) -> Iterator[Step]:
    """Yield what is known only from the task itself, which is older than the notes."""
    if Kind.SUBMITTED not in noted:
        yield Step(
            Kind.SUBMITTED.label, task.created_at, True, task.created_by.name if task.created_by else ""
        )
    if task.started_at and not noted & {Kind.STARTED, Kind.RESUMED}:
        yield Step(Kind.STARTED.label, task.started_at, True)
    end = _ENDS.get(task.status)
    if end and end not in noted:
        yield Step(end.label, task.finished_at, True)
