"""How far a task is: its counters made anew from rows, its end, and the units it used."""

import time
from collections import Counter
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from billing import services as billing
from email_service.send_details import closing, outcomes
from email_service.send_details.models import Message
from email_service.send_tasks import steps
from email_service.send_tasks.claims import Batch
from email_service.send_tasks.models import Task
from iam.models import User

# A task of up to so many messages is counted while it is sent; a larger one by the sweep.
SMALL = 5_000
COUNT_EVERY = 1.0


@transaction.atomic
def move(
    task_id: int,
    status: str,
    *,
    reason: str = "",
    only_from: Sequence[str] = (),
    user: User | None = None,
    **fields: object,
) -> bool:
    """Move a task to a state where `Task.MOVES` allows it now, and note it; False when another was faster."""
    sources = [
        source
        for source, targets in Task.MOVES.items()
        if status in targets and (not only_from or source in only_from)
    ]
    changed = Task.objects.filter(pk=task_id, status__in=sources)
    if not changed.update(status=status, status_reason=reason[:500], **fields):
        return False
    steps.note(task_id, steps.STEP_INTO[status], user=user, reason=reason)
    return True


def is_now(task_id: int, status: str) -> bool:
    return Task.objects.filter(pk=task_id, status=status).exists()


def pause(task_id: int, reason: str) -> bool:
    return move(task_id, Task.Status.PAUSED, reason=reason)


def refresh_small(task_id: int) -> None:
    """Refresh a task that is quickly counted, so that its page shows the batch just sent."""
    if Task.objects.filter(pk=task_id, accepted_count__lte=SMALL).exists():
        refresh(task_id)


class Counting:
    """When one worker counts the small tasks it sends: once a second, and where they may have come to their end."""

    def __init__(self) -> None:
        self._due: dict[int, float] = {}
        self._uncounted: set[int] = set()

    def after(self, batch: Batch | None) -> None:
        """Count the batch's task if it is time; without a batch nothing is due, and what was left is counted."""
        if batch is None:
            while self._uncounted:
                refresh_small(self._uncounted.pop())
            self._due.clear()
            return
        task_id, may_be_last = batch.task.pk, not batch.is_full
        if not may_be_last and time.monotonic() < self._due.get(task_id, 0.0):
            self._uncounted.add(task_id)
            return
        self._uncounted.discard(task_id)
        refresh_small(task_id)
        self._due[task_id] = time.monotonic() + COUNT_EVERY


@transaction.atomic
def refresh(task_id: int) -> None:
    """Count the task's messages, end it when none is left to send, and settle its units.

    The counters are written under the row's lock: of two refreshes the later one counts later.
    """
    # Not the whole row: whoever writes something that refers to the task need not wait.
    task = Task.objects.select_for_update(of=("self",), no_key=True).get(pk=task_id)
    if task.status == Task.Status.CANCELLED:
        outcomes.cancel_pending(task)
    counts, free = count(task)
    task.delivered_count = counts[Message.Status.DELIVERED]
    task.failed_count = counts[Message.Status.FAILED] + counts[Message.Status.EXPIRED]
    task.rejected_count = counts[Message.Status.REJECTED]
    task.cancelled_count = counts[Message.Status.CANCELLED]
    task.pending_count = sum(number for status, number in counts.items() if status not in Message.ENDED)
    fields = ["delivered_count", "failed_count", "rejected_count", "cancelled_count", "pending_count"]
    if task.status == Task.Status.SENDING and task.is_read and task.pending_count == 0:
        task.status = Task.Status.FINISHED
        task.finished_at = timezone.now()
        fields += ["status", "finished_at"]
        steps.note(task.pk, steps.Kind.FINISHED, at=task.finished_at)
    task.save(update_fields=fields)
    ended = sum(counts.values()) - task.pending_count
    if ended:
        billing.settle_units(tenant=task.tenant, reference=task.code, consumed=ended - free, released=free)


def count(task: Task) -> tuple[Counter[str], int]:
    """Return the task's messages by status, removed ones included, and how many of the ended ones cost nothing."""
    counts: Counter[str] = Counter()
    free = 0
    for (status, reason), number in closing.count("status", "end_reason", task=task.pk).items():
        counts[status] += number
        if reason and status in Message.ENDED:
            free += number
    return counts, free
