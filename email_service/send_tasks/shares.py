"""How a task's messages stand: the parts of its bar, and the figures that lead to its send details."""

from dataclasses import dataclass

from django.db.models import Count
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from email_service.send_details.models import Message
from email_service.send_tasks.models import Task

States = Message.Status
# A part of one mail in a million is still seen: in hundredths of the bar.
LEAST = 1.5


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the bar, in hundredths of its length, as SVG writes them."""

    status: str
    label: str | Promise
    value: int
    start: str
    width: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A count; `status` names the messages it counts, empty for all of them."""

    label: str | Promise
    value: int
    status: str = ""


def parts(task: Task) -> list[Part]:
    """Return the parts of the bar that are not empty, what is still to come last. No query."""
    counts = [
        (States.DELIVERED, task.delivered_count),
        (States.FAILED, task.failed_count),
        (States.REJECTED, task.rejected_count),
        (States.CANCELLED, task.cancelled_count),
        (States.PENDING, task.pending_count),
    ]
    counts = [(status, number) for status, number in counts if number]
    widths = _widths([number for _status, number in counts])
    found, start = [], 0.0
    for (status, number), width in zip(counts, widths, strict=True):
        found.append(Part(status, status.label, number, f"{start:.2f}", f"{width:.2f}"))
        start += width
    return found


def _widths(numbers: list[int]) -> list[float]:
    """Divide a hundred among the numbers; what the smallest are given too much is taken from the largest."""
    total = sum(numbers)
    widths = [max(LEAST, 100 * number / total) for number in numbers]
    if widths:
        widths[widths.index(max(widths))] -= sum(widths) - 100
    return widths


def figures(task: Task) -> list[Figure]:
    """Return how many messages the task has, and how many of them are in each state. One query."""
    rare = (
        Message.objects.filter(task=task, status__in=(States.EXPIRED, States.HELD))
        .order_by()
        .values_list("status")
        .annotate(Count("pk"))
    )
    found = dict(rare)
    expired, held = found.get(States.EXPIRED, 0), found.get(States.HELD, 0)
    figures = [
        Figure(_("Recipients"), task.accepted_count),
        Figure(States.DELIVERED.label, task.delivered_count, States.DELIVERED),
        Figure(States.FAILED.label, max(0, task.failed_count - expired), States.FAILED),
        Figure(States.REJECTED.label, task.rejected_count, States.REJECTED),
        Figure(States.PENDING.label, max(0, task.pending_count - held), States.PENDING),
    ]
    figures += [
        Figure(status.label, number, status)
        for status, number in (
            (States.EXPIRED, expired),
            (States.HELD, held),
            (States.CANCELLED, task.cancelled_count),
        )
        if number
    ]
    return figures


def held_of(found: list[Figure]) -> int:
    """Return how many wait for somebody to decide whether they came."""
    return sum(figure.value for figure in found if figure.status == States.HELD)
