"""Messages in doubt: sent, perhaps, and nobody knows whether they came."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, Max, OuterRef, QuerySet

from email_service.send_details.models import Attempt, Message
from email_service.send_tasks.models import Task

# One decision ends, or sends again, at most so many.
MOST_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Doubt:
    """A held message, with the attempt that left it so."""

    message: Message
    attempt: Attempt | None
    account: str
    company: str


def held() -> QuerySet[Message]:
    """Return the messages that wait for a decision."""
    return Message.objects.filter(status=Message.Status.HELD).select_related("task", "tenant").defer("params")


def doubts(messages: Sequence[Message]) -> list[Doubt]:
    """Return the messages with the attempt that left each in doubt."""
    last: dict[int, Attempt] = {}
    for attempt in Attempt.objects.filter(message__in=messages).order_by("number", "pk"):
        last[attempt.message_id] = attempt
    return [
        Doubt(message, last.get(message.pk), message.tenant.account, message.tenant.name)
        for message in messages
    ]


def newest_attempt() -> int:
    """Return a mark of this moment for `known_by`."""
    return Attempt.objects.aggregate(Max("pk"))["pk__max"] or 0


def known_by(rows: QuerySet[Message], mark: int) -> QuerySet[Message]:
    """Leave out what came into doubt after the mark: somebody who decides has not counted it."""
    return rows.filter(~Exists(Attempt.objects.filter(message=OuterRef("pk"), pk__gt=mark)))


def decidable(rows: QuerySet[Message], decision: str) -> QuerySet[Message]:
    """Leave out what cannot be decided so: nothing of a cancelled task is sent again."""
    return rows.exclude(task__status=Task.Status.CANCELLED) if decision == "resend" else rows


def count(rows: QuerySet[Message]) -> int:
    """Count the messages, up to one more than can be decided at once."""
    return rows.order_by()[: MOST_AT_ONCE + 1].count()
