"""Why a task that is being sent goes slowly, or waits until tomorrow: the limits that operators set."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from email_service.send_tasks import ceilings, parking
from email_service.send_tasks.models import Task
from email_service.send_tasks.standing import DESTINATION, Standing, domain_of, keys_of, next_day


@dataclass(frozen=True, slots=True)
class Wait:
    """What keeps a task's mail back: a day's ceiling with the moment that ends it, or a rate."""

    ceiling: int | None = None
    until: datetime | None = None
    rate: float | None = None
    sender: str = ""
    destination: str = ""


def of_task(task: Task) -> list[Wait]:
    """Return what keeps back the task, and one of the destinations for which its mails wait."""
    if not _may_wait(task):
        return []
    standing = ceilings.read(timezone.now())
    found = _own(task, standing)
    destinations = standing.destinations
    if destinations and not any(wait.until for wait in found):
        waiting = (
            parking.parked(standing.now, destinations).filter(task=task).values_list("domain", flat=True)
        )
        for domain in waiting[:1]:
            limit = standing.limits.get((DESTINATION, domain))
            if limit is not None:
                found.append(Wait(rate=limit.rate, destination=domain))
    return found


def beside(tasks: Sequence[Task]) -> list[tuple[Task, list[Wait]]]:
    """Return the tasks, each with the limits of its account and its sending domain; by one query at most."""
    standing = ceilings.read(timezone.now()) if any(map(_may_wait, tasks)) else None
    return [(task, _own(task, standing) if standing and _may_wait(task) else []) for task in tasks]


def _may_wait(task: Task) -> bool:
    return task.status == Task.Status.SENDING


def _own(task: Task, standing: Standing) -> list[Wait]:
    tenant, sender = keys_of(task)
    found = []
    if standing.left_today(sender) == 0:
        ceiling = standing.limits[sender].ceiling_on(standing.today)
        return [Wait(ceiling=ceiling, until=next_day(standing.now), sender=domain_of(task.sender))]
    for key, domain in ((tenant, ""), (sender, domain_of(task.sender))):
        limit = standing.limits.get(key)
        if limit is not None and limit.rate is not None:
            found.append(Wait(rate=limit.rate, sender=domain))
    return found
