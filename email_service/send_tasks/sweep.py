"""Finds the work in the database that nobody was told of; run by the schedule, and by whoever is idle."""

import logging
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from email_service.send_details import addressees
from email_service.send_tasks import (
    arrears,
    ceilings,
    checks,
    claims,
    dispatch,
    progress,
    pulse,
    reasons,
    steps,
)
from email_service.send_tasks.models import Claim, Task
from email_service.send_tasks.restored import DatabaseIsBehind

logger = logging.getLogger(__name__)
MOST_HINTS = 8


@dataclass
class Found:
    """Work to be hinted at: files to read and to check, whether there are addresses the search is to know, and how
    many workers may deliver at once.
    """

    unread: list[int] = field(default_factory=list)
    unchecked: list[int] = field(default_factory=list)
    addressees: bool = False
    deliveries: int = 0


def sweep() -> Found:
    """Put right what can be put right at once, and return what jobs have to do.

    Idempotent; two sweeps at once do no harm.
    """
    now = claims.database_now()
    pulse.tick()
    take_over()
    start_due()
    arrears.follow()
    for task_id in to_refresh():
        progress.refresh(task_id)
    unread = Task.objects.filter(Q(reading_until=None) | Q(reading_until__lt=now), is_read=False)
    ceilings.tidy(ceilings.read(now))
    return Found(
        unread=list(unread.filter(status=Task.Status.PREPARING).values_list("pk", flat=True)),
        unchecked=checks.unread(),
        addressees=addressees.unknown().exists(),
        deliveries=_missing_deliveries(),
    )


def take_over() -> None:
    """Give back what dead workers held; a journal that resists keeps its own messages, not all tasks of all."""
    try:
        dispatch.recover()
        dispatch.give_up_silent()
    except DatabaseIsBehind as problem:
        logger.warning("%s", problem)
    except Exception:
        logger.exception("What a dead worker left cannot be taken over; the next sweep tries again.")


@transaction.atomic
def start_due() -> int:
    """Begin the scheduled tasks whose hour has come; those far too late wait for a person."""
    now = claims.database_now()
    too_late = now - timedelta(hours=settings.SCHEDULE_LATEST_START_HOURS)
    scheduled = Task.objects.filter(status=Task.Status.SCHEDULED, is_read=True)
    late = reasons.keep("late")
    if scheduled.filter(due_at__lt=too_late).update(status=Task.Status.PAUSED, status_reason=late):
        paused = Task.objects.filter(status=Task.Status.PAUSED, status_reason=late)
        steps.note_all(paused, steps.Kind.PAUSED, at=now, reason=late)
    due = scheduled.filter(due_at__lte=now, due_at__gte=too_late)
    started = due.update(status=Task.Status.SENDING, started_at=now)
    if started:
        begun = Task.objects.filter(status=Task.Status.SENDING, started_at=now)
        steps.note_all(begun, steps.Kind.STARTED, at=now)
    return started


def to_refresh() -> list[int]:
    """Return the tasks whose counters may have changed: those that send, ended ones not counted to the end, and those
    that stopped for want of money while workers held something of them."""
    recently = claims.database_now() - timedelta(seconds=settings.LEASE_SECONDS + 2 * settings.SWEEP_SECONDS)
    stopping = Q(status=Task.Status.QUOTA_PAUSED, served_at__gt=recently)
    ended = (Task.Status.CANCELLED, Task.Status.FINISHED, Task.Status.FAILED)
    open_end = Q(status__in=ended, pending_count__gt=0)
    return list(
        Task.objects.filter(Q(status=Task.Status.SENDING) | open_end | stopping)
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def _missing_deliveries() -> int:
    """Return how many deliveries to hint at: while workers are at it, for they go on by themselves, only
    one, where a task has waited so long that they must be held up, by a slow server perhaps."""
    now = claims.database_now()
    standing = ceilings.read(now)
    busy = Claim.objects.filter(lease_until__gt=now).exists()
    recently = now - timedelta(seconds=2 * settings.SWEEP_SECONDS)
    if busy or Task.objects.filter(status=Task.Status.SENDING, served_at__gt=recently).exists():
        unserved = Q(served_at=None) | Q(served_at__lt=recently)
        return int(claims.due_tasks(recently, standing).filter(unserved).exists())
    tasks = claims.due_tasks(now, standing)
    due = claims.due_messages(now).filter(task__in=tasks)[: MOST_HINTS * claims.BATCH].count()
    # Where all of it is parked, as much as the limits let go is one worker's.
    return min(MOST_HINTS, -(-due // claims.BATCH)) or int(tasks.exists())
