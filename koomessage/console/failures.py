"""Why mail failed lately: a sample of the newest failures, so that it costs the same whatever an account sends."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from email_service.delivery.replies import Cause, explain
from email_service.models import Attempt, Message
from email_service.send_details.queries import CAUSES, ENDS, REASONS
from iam.models import Tenant

SAMPLE = 5000
SHOWN = 5
# Servers that word every refusal anew must not make the page slow: what comes after so many counts as refused.
MOST_WORDINGS = 200
UNEXPLAINED = "unexplained"
_LABELS: dict[str, str | Promise] = {
    **{str(cause): label for cause, label in CAUSES.items()},
    **REASONS,
    Message.Status.EXPIRED: ENDS[Message.Status.EXPIRED],
    UNEXPLAINED: _("No server could be asked."),
}


@dataclass(frozen=True)
class Reason:
    """A cause, how many of the sample it ended, and the status by which 发送明细 finds such mails."""

    label: str | Promise
    number: int
    status: str


@dataclass(frozen=True)
class Failures:
    reasons: list[Reason]
    sampled: int

    @property
    def is_sample(self) -> bool:
        """True where there may be more than were looked at."""
        return self.sampled >= SAMPLE


def failures(tenant: Tenant, since: datetime) -> Failures:
    """Return the commonest reasons of the newest failures since then, by two queries."""
    newest = (
        Message.objects.for_tenant(tenant)
        .filter(status__in=Message.UNSUCCESSFUL, accepted_at__gte=since)
        .order_by("-accepted_at", "-id")[:SAMPLE]
    )
    rows = list(newest.values_list("pk", "status", "end_reason"))
    replies = _replies(newest)
    found: Counter[tuple[str, str]] = Counter()
    for pk, status, reason in rows:
        group = "rejected" if status == Message.Status.REJECTED else "failed_all"
        cause = status if status == Message.Status.EXPIRED else reason or replies.get(pk, UNEXPLAINED)
        found[cause, group] += 1
    reasons = [
        Reason(_LABELS.get(cause, cause), number, group)
        for (cause, group), number in found.most_common(SHOWN)
    ]
    return Failures(reasons, len(rows))


def _replies(messages: QuerySet[Message]) -> dict[int, str]:
    """Return the cause of each message's refusal, as its server put it."""
    causes: dict[tuple[Any, ...], str] = {}
    found = {}
    rows = Attempt.objects.filter(message__in=messages.values("pk"), verdict__in=["failed", "rejected"])
    for pk, code, enhanced, text in rows.order_by().values_list("message", "code", "enhanced", "text"):
        # What differs from mail to mail are numbers and addresses; explaining each would take seconds.
        key = code, enhanced, " ".join(word for word in text.split() if word.isalpha())
        if key not in causes:
            is_new = len(causes) < MOST_WORDINGS
            causes[key] = _cause(code or 0, enhanced, text) if is_new else Cause.PERMANENT
        found[pk] = causes[key]
    return found


def _cause(code: int, enhanced: str, text: str) -> str:
    return explain(code, enhanced, text).cause if code >= 400 else UNEXPLAINED
