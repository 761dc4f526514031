"""What must be true of tasks: every figure they show is a count of their messages."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from django.db.models import Count

from email_service.send_details.models import Message
from email_service.send_tasks.models import Task
from koomessage.common.integrity import Check


def checks() -> Iterator[Check]:
    """Count all messages by task and status, and hold the tasks' own figures against that."""
    counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
    rows = Message.objects.order_by().values_list("task", "status").annotate(Count("pk"))
    for task, status, number in rows.iterator():
        counts[task][status] = number
    tasks = list(
        Task.objects.order_by("pk").only(
            "code", "status", "accepted_count", "delivered_count", "failed_count", "rejected_count",
            "pending_count", "cancelled_count",
        )
    )  # fmt: skip
    yield Check(
        "recipients accepted are the sum of the messages by status",
        sum(task.accepted_count for task in tasks),
        tuple(
            f"task {task.code}: {task.accepted_count} accepted, {counts[task.pk].total()} messages"
            for task in tasks
            if task.accepted_count != counts[task.pk].total()
        ),
    )
    # The figures of a task that is still sending are made anew every few seconds; the rows are what counts.
    ended = [task for task in tasks if not task.is_unfinished]
    yield Check("ended tasks show what their messages say", len(ended), tuple(_wrong_counters(ended, counts)))
    finished = [task for task in tasks if task.status == Task.Status.FINISHED]
    yield Check(
        "finished tasks have nothing left to send",
        len(finished),
        tuple(
            f"task {task.code}: {left} messages wait"
            for task in finished
            if (left := _unsent(counts[task.pk]))
        ),
    )


def _wrong_counters(tasks: list[Task], counts: dict[int, Counter[str]]) -> Iterator[str]:
    for task in tasks:
        found = counts[task.pk]
        shown = {
            "delivered": (task.delivered_count, found["delivered"]),
            "failed": (task.failed_count, found["failed"] + found["expired"]),
            "rejected": (task.rejected_count, found["rejected"]),
            "pending": (task.pending_count, _unsent(found)),
            "cancelled": (task.cancelled_count, found["cancelled"]),
        }
        for name, (counter, number) in shown.items():
            if counter != number:
                yield f"task {task.code}: shows {counter} {name}, has {number}"


def _unsent(found: Counter[str]) -> int:
    return sum(number for status, number in found.items() if status not in Message.ENDED)
