"""What must be true of tasks: every figure they show is a count of their messages, removed ones included."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from billing.models import Reservation
from email_service.send_details import closing
from email_service.send_details.models import Message
from email_service.send_tasks.models import Task
from koomessage.common.integrity import Check


def checks() -> Iterator[Check]:
    """Count all messages by task and status, and hold the tasks' own figures against that."""
    counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
    free: Counter[int] = Counter()
    for (task, status, reason), number in closing.count("task", "status", "end_reason").items():
        counts[task][status] += number
        if reason and status in Message.ENDED:
            free[task] += number
    tasks = list(
        Task.objects.order_by("pk").only(
            "code", "status", "tenant_id", "accepted_count", "delivered_count", "failed_count", "rejected_count",
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
    yield _units(ended, counts, free)


def _units(tasks: list[Task], counts: dict[int, Counter[str]], free: Counter[int]) -> Check:
    """Hold the units of tasks that have wholly ended against their messages."""
    booked: defaultdict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    for tenant, reference, consumed, released in Reservation.objects.values_list(
        "tenant_id", "reference", "consumed", "released"
    ).iterator():
        booked[tenant, reference].update(used=consumed, given=released)
    over = [
        task
        for task in tasks
        if (task.tenant_id, task.code) in booked and not task.pending_count and not _unsent(counts[task.pk])
    ]
    problems = []
    for task in over:
        units, given = booked[task.tenant_id, task.code], free[task.pk]
        used = counts[task.pk].total() - given
        if (units["used"], units["given"]) != (used, given):
            problems.append(
                f"task {task.code}: {units['used']} units used and {units['given']} given back, "
                f"its messages say {used} and {given}"
            )
    return Check("ended tasks used a unit for each message that costs one", len(over), tuple(problems))


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
