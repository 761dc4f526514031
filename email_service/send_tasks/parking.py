"""Messages that wait for their destination's limit: out of the way of all others, and found again at once.

A claim that meets them among the due ones beyond what the limit gives parks them, once an attempt. From then on
claims take as many of them as there are tokens, the oldest first, and never look through the rest.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import F, QuerySet

from email_service.send_details.models import Message
from email_service.send_tasks.standing import Standing

MESSAGES = Message._meta.db_table
# A claim that may take little still looks at so many, to park them and to find other destinations.
LEAST_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class Candidate:
    id: int
    domain: str
    is_parked: bool


def parked(now: datetime, destinations: Collection[str]) -> QuerySet[Message]:
    """Return the messages that have waited since then or longer for the limits of these destinations."""
    return Message.objects.filter(
        status=Message.Status.PENDING, lease_token=None, parked_since__lte=now, domain__in=list(destinations)
    )


def has_any(destination: str) -> bool:
    """Say whether a message is parked there, or held by a worker that may give it back."""
    waiting = Message.objects.filter(
        status=Message.Status.PENDING, lease_token=None, parked_since__isnull=False, domain=destination
    )
    held = Message.objects.filter(lease_token__isnull=False, parked_since__isnull=False, domain=destination)
    # As one question: between two, one could go from here to there.
    return waiting.order_by().values("pk").union(held.order_by().values("pk"), all=True).exists()


def candidates(task_id: int, now: datetime, size: int, standing: Standing) -> list[Candidate]:
    """Lock and return what the task could send now: parked messages as their limits allow, then due ones.

    Rows that somebody else has locked are passed over.
    """
    found = [Candidate(pk, domain, True) for pk, domain in _parked_of(task_id, size, standing)]
    if len(found) >= size:
        return found[:size]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, domain FROM {MESSAGES} WHERE task_id = %s AND status = 'pending' "  # noqa: S608 - our own table
            "AND lease_token IS NULL AND next_attempt_at <= %s "
            f"ORDER BY next_attempt_at LIMIT %s {_skip()}",
            [task_id, connection.ops.adapt_datetimefield_value(now), max(size, LEAST_LOOKED_AT)],
        )
        return found + [Candidate(pk, domain, False) for pk, domain in cursor.fetchall()]


def choose(found: Sequence[Candidate], size: int, locked: Standing) -> tuple[list[Candidate], list[int]]:
    """Return which of them go now, at most `size`, and the ids of those that have to be parked."""
    left: dict[str, int | None] = {}
    chosen: list[Candidate] = []
    excess: list[int] = []
    for row in found:
        if len(chosen) == size:
            break
        if row.domain not in left:
            left[row.domain] = locked.share(row.domain)
        room = left[row.domain]
        if room is None:
            chosen.append(row)
        elif room > 0:
            left[row.domain] = room - 1
            chosen.append(row)
        elif not row.is_parked:
            excess.append(row.id)
    return chosen, excess


def _parked_of(task_id: int, size: int, standing: Standing) -> Sequence[tuple[int, str]]:
    parts: list[str] = []
    values: list[str | int] = []
    for domain in standing.open_destinations:
        share = standing.share(domain)
        room = size if share is None else min(size, share)
        parts.append(
            f"SELECT id, domain FROM (SELECT id, domain FROM {MESSAGES} WHERE domain = %s AND task_id = %s "  # noqa: S608
            "AND status = 'pending' AND lease_token IS NULL AND parked_since IS NOT NULL "
            f"ORDER BY parked_since, id LIMIT %s {_skip()}) AS of_{len(parts)}"
        )
        values += [domain, task_id, room]
    if not parts:
        return ()
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), values)
        return cursor.fetchall()


def park(message_ids: Collection[int]) -> None:
    """Take messages that the caller has locked out of the due ones, until their destination's limit lets them go."""
    Message.objects.filter(
        pk__in=message_ids, status=Message.Status.PENDING, lease_token=None, next_attempt_at__isnull=False
    ).update(parked_since=F("next_attempt_at"), next_attempt_at=None)


def _skip() -> str:
    return "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
