"""When a message that could not be delivered is tried again."""

import hashlib
from datetime import datetime, timedelta

# After the first attempts in minutes; then every four hours until the lifetime is over.
_WAITS = (
    timedelta(minutes=2),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
)
_SPREAD = 0.25


def next_attempt(
    attempt_number: int, *, first_at: datetime, now: datetime, lifetime: timedelta, jitter: int
) -> datetime | None:
    """Answer when to try again after attempt `attempt_number` (from 1), or None: it expires.

    `jitter` is the message's id: messages deferred together come back spread over the wait,
    and the same message always at the same moment.
    """
    if attempt_number < 1:
        raise ValueError("Attempts are counted from 1.")
    wait = _WAITS[min(attempt_number, len(_WAITS)) - 1]
    digest = hashlib.blake2b(f"{jitter} {attempt_number}".encode(), digest_size=4).digest()
    share = int.from_bytes(digest, "big") / 0xFFFFFFFF
    due = now + wait * (1 + _SPREAD * share)
    return due if due <= first_at + lifetime else None
