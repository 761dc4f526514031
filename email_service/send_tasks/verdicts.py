"""What an attempt's outcome makes of its message: the one table from verdicts to states. No database."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from email_service.delivery.envelopes import Outcome
from email_service.delivery.replies import Verdict
from email_service.delivery.retry import next_attempt

# The waits of `delivery.retry` start with this one; RETRY_FIRST_SECONDS stretches or shrinks them all.
FIRST_WAIT = timedelta(minutes=2)
FOR_EVER = timedelta(days=36_500)
MAX_CRASHES = 3

PENDING, HELD, DELIVERED = "pending", "held", "delivered"
FAILED, REJECTED, EXPIRED = "failed", "rejected", "expired"
FINAL = {Verdict.DELIVERED: DELIVERED, Verdict.FAILED: FAILED, Verdict.REJECTED: REJECTED}


@dataclass(frozen=True, slots=True)
class Rules:
    """How long, how often and how daringly a task's messages are tried."""

    lifetime: timedelta
    first_wait: timedelta
    holds_doubtful: bool


@dataclass(frozen=True, slots=True)
class Decision:
    status: str
    next_attempt_at: datetime | None = None


def decide(
    outcome: Outcome, *, accepted_at: datetime, now: datetime, rules: Rules, crashed: bool = False
) -> Decision:
    """Say what state the message goes to. A message that a crash left in doubt is tried again at once."""
    if outcome.verdict in FINAL:
        return Decision(FINAL[outcome.verdict])
    if outcome.in_doubt and rules.holds_doubtful:
        return Decision(HELD)
    if crashed:
        return Decision(PENDING, now)
    due = retry_at(outcome, accepted_at=accepted_at, now=now, rules=rules)
    return Decision(PENDING, due) if due else Decision(EXPIRED)


def retry_at(outcome: Outcome, *, accepted_at: datetime, now: datetime, rules: Rules) -> datetime | None:
    due = next_attempt(
        outcome.attempt, first_at=accepted_at, now=now, lifetime=FOR_EVER, jitter=outcome.message_id
    )
    if due is None:
        return None
    due = now + (due - now) * (rules.first_wait / FIRST_WAIT)
    return due if due <= accepted_at + rules.lifetime else None
