"""What must be true of messages and their events at any time."""

from collections.abc import Iterator
from typing import Any

from django.db.models import F, Q, QuerySet

from email_service.send_details.models import ClosedCount, ClosedEvent, Event, Message
from koomessage.common.integrity import Check

_MOST_NAMED = 20
_UNFINISHED = (Message.Status.PENDING, Message.Status.HELD)


def checks() -> Iterator[Check]:
    """Look at every message once for each thing that must be true of it."""
    messages = Message.objects.count()
    yield _check(
        "messages belong to their task's account",
        messages,
        Message.objects.exclude(tenant=F("task__tenant")),
    )
    unfinished, waits = Q(status__in=_UNFINISHED), Q(next_attempt_at__isnull=False)
    yield _check(
        "messages have an end time if and only if they have an end",
        messages,
        Message.objects.filter(
            (unfinished & Q(finished_at__isnull=False)) | (~unfinished & Q(finished_at=None))
        ),
    )
    yield _check(
        "messages wait for an attempt, or for their destination's limit, if and only if they are pending",
        messages,
        Message.objects.filter(
            (~Q(status="pending") & (waits | Q(parked_since__isnull=False) | Q(lease_token__isnull=False)))
            | (Q(status="pending", next_attempt_at=None, parked_since=None))
            | (waits & Q(parked_since__isnull=False))
        ),
    )
    yield _check(
        "events belong to their message's account",
        Event.objects.count(),
        Event.objects.exclude(tenant=F("message__tenant")),
    )
    yield _check(
        "what is kept of removed messages belongs to their task's account, and had ended",
        ClosedCount.objects.count() + ClosedEvent.objects.count(),
        ClosedCount.objects.exclude(tenant=F("task__tenant"), status__in=Message.ENDED),
        ClosedEvent.objects.exclude(tenant=F("task__tenant")),
    )


def _check(title: str, figure: int, *wrong: QuerySet[Any]) -> Check:
    named: list[str] = []
    for rows in wrong:
        found = [f"{row._meta.model_name} {row.pk}" for row in rows.order_by("pk").only("pk")[:_MOST_NAMED]]
        if len(found) == _MOST_NAMED:
            found.append(f"{rows.count()} rows in all")
        named += found
    return Check(title, figure, tuple(named))
