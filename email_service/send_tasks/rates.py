"""How fast a task goes now, and when it may end: from the account's latest ends, never from all of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q
from django.utils import timezone

from email_service.send_details.models import Event
from email_service.send_tasks.models import Task

SPAN = timedelta(minutes=1)
# So many of the account's latest events are looked at; where they are of less than a minute, the rate is of theirs.
SAMPLE = 2_000
SHORTEST = 1.0


@dataclass(frozen=True, slots=True)
class Rate:
    """Messages that ended a second over the last minute, and when the rest has at this rate."""

    per_second: float
    ends_at: datetime | None


def rate_of(task: Task, *, waiting: int) -> Rate | None:
    """Return the rate of a task that is being sent, None where none of it ended within the last minute.

    By one query whose cost does not grow with the task. `waiting` is what is left to send.
    """
    if task.status != Task.Status.SENDING:
        return None
    now = timezone.now()
    latest = Event.objects.filter(tenant=task.tenant_id).order_by("-pk")[:SAMPLE]
    recent = Q(at__gt=now - SPAN)
    found = latest.values("pk", "at", "kind", "message__task").aggregate(
        looked_at=Count("pk"),
        since=Min("at", filter=recent),
        ended=Count("pk", filter=recent & Q(kind=Event.Kind.ENDED, message__task=task.pk)),
    )
    if not found["ended"]:
        return None
    # Of a whole sample within the minute, older events were not looked at.
    is_cut = found["looked_at"] == SAMPLE
    seconds = (now - found["since"]).total_seconds() if is_cut else _age(task, now)
    rate = found["ended"] / max(SHORTEST, min(SPAN.total_seconds(), seconds))
    return Rate(rate, now + timedelta(seconds=waiting / rate) if waiting else None)


def _age(task: Task, now: datetime) -> float:
    """Return how long the task has been sent: in its first minute, it is not as slow as the minute says."""
    return (now - (task.started_at or task.created_at)).total_seconds()
