"""Notes the steps of tasks, in the transaction of whoever moves them."""

from collections.abc import Iterable
from datetime import datetime

from django.db import connection, models
from django.db.models import Exists, OuterRef, QuerySet, Value
from django.utils import timezone

from email_service.send_tasks.models import Task
from email_service.send_tasks.models_events import TaskEvent
from iam.models import User

Kind = TaskEvent.Kind
# The step by which a task comes into a state; it comes back to sending only out of a pause.
STEP_INTO: dict[str, Kind] = {
    Task.Status.SENDING: Kind.RESUMED,
    Task.Status.PAUSED: Kind.PAUSED,
    Task.Status.QUOTA_PAUSED: Kind.QUOTA_PAUSED,
    Task.Status.CANCELLED: Kind.CANCELLED,
    Task.Status.FINISHED: Kind.FINISHED,
    Task.Status.FAILED: Kind.FAILED,
}
_COLUMNS = ("task_id", "kind", "at", "detail")


def note(
    task_id: int, kind: str, *, at: datetime | None = None, user: User | None = None, **detail: object
) -> None:
    """Add a step to the task's history."""
    if user is not None:
        detail["by"] = user.name
    kept = {name: value for name, value in detail.items() if value not in ("", None)}
    TaskEvent.objects.create(task_id=task_id, kind=kind, at=at or timezone.now(), user=user, detail=kept)


def note_each(task_ids: Iterable[int], kind: str, *, at: datetime) -> None:
    """Add the step to each of the tasks, however often they have taken it before."""
    TaskEvent.objects.bulk_create(TaskEvent(task_id=pk, kind=kind, at=at) for pk in task_ids)


def note_all(tasks: QuerySet[Task], kind: str, *, at: datetime, **detail: object) -> None:
    """Add the step to those of the tasks that have not taken it, by one statement however many they are."""
    taken = TaskEvent.objects.filter(task=OuterRef("pk"), kind=kind)
    chosen = (
        tasks.filter(~Exists(taken))
        .order_by()
        .values_list(
            "pk",
            Value(str(kind), models.CharField()),
            Value(at, models.DateTimeField()),
            Value(detail, models.JSONField()),
        )
    )
    sql, params = chosen.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {TaskEvent._meta.db_table} ({', '.join(_COLUMNS)}) {sql}", params)
