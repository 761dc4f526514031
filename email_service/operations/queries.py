"""What the page 发送引擎 shows. Every question costs the same with a thousand messages waiting and with a million."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import (
    Avg,
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    Max,
    OuterRef,
    Q,
    Subquery,
)
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from email_service.delivery.replies import Verdict
from email_service.send_details.models import Attempt, Message
from email_service.send_tasks import pulse
from email_service.send_tasks.claims import due_messages, due_tasks
from email_service.send_tasks.models import Claim, Task
from email_service.send_tasks.models_workers import Pace, Worker
from email_service.send_tasks.standing import Standing

WINDOWS = (1, 5, 60)
MOST_ROWS = 10
# Counted of at most so many: a page that looks through a million rows every few seconds is a load of its own.
SAMPLE = 10_000
MOST_TASKS = 500
VERDICTS: dict[str, str | Promise] = {
    Verdict.DELIVERED: _("Delivered"),
    Verdict.DEFERRED: _("Tried again later"),
    Verdict.THROTTLED: _("Slowed down"),
    Verdict.FAILED: pgettext_lazy("message", "Failed"),
    Verdict.REJECTED: pgettext_lazy("message", "Rejected"),
    pulse.IN_DOUBT: _("In doubt"),
}


@dataclass(frozen=True, slots=True)
class Rate:
    """How many attempts ended so in the last 1, 5 and 60 minutes."""

    verdict: str
    label: str | Promise
    numbers: tuple[int, ...]


@dataclass(slots=True)
class Queue:
    """What waits for one account or one destination."""

    name: str
    code: str = ""
    waiting: int = 0
    claimed: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """How many messages workers hold."""

    by_tenant: Counter[int] = field(default_factory=Counter)
    by_domain: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Destinations:
    rows: list[Queue]
    counted: int
    is_whole: bool


@dataclass(frozen=True, slots=True)
class WorkerLine:
    """A worker process: one that told of itself, or that holds claims and does not any more."""

    name: str
    host: str
    pid: int | None
    since: datetime | None
    seen_at: datetime | None
    connections: int
    untold: int
    claims: int
    lease_until: datetime | None
    is_silent: bool


@dataclass(frozen=True, slots=True)
class Slow:
    """How a destination has taken the latest mails."""

    domain: str
    attempts: int
    seconds: float
    deferred: int


def rates(now: datetime) -> list[Rate]:
    """Return one row a verdict; a window begins with a whole minute."""
    minute = now.replace(second=0, microsecond=0)
    rows = Pace.objects.filter(minute__gt=minute - timedelta(minutes=max(WINDOWS)))
    found: defaultdict[str, list[int]] = defaultdict(lambda: [0] * len(WINDOWS))
    for at, verdict, attempts in rows.values_list("minute", "verdict", "attempts"):
        for place, minutes in enumerate(WINDOWS):
            # The running minute has hardly begun: the one before it belongs to every window.
            if at >= minute - timedelta(minutes=minutes):
                found[verdict][place] += attempts
    return [Rate(verdict, label, tuple(found[verdict])) for verdict, label in VERDICTS.items()]


def queue_by_account(now: datetime, claimed: Claimed) -> list[Queue]:
    """Return the accounts with the most unfinished messages in tasks being sent."""
    oldest = (
        due_messages(now)
        .filter(task=OuterRef("pk"))
        .order_by("next_attempt_at")
        .values("next_attempt_at")[:1]
    )
    tasks = Task.objects.filter(status=Task.Status.SENDING, pending_count__gt=0).annotate(
        oldest=Subquery(oldest)
    )
    found: dict[int, Queue] = {}
    for tenant, account, name, waiting, since in tasks.order_by("-pending_count").values_list(
        "tenant", "tenant__account", "tenant__name", "pending_count", "oldest"
    )[:MOST_TASKS]:
        row = found.setdefault(tenant, Queue(name, account))
        row.waiting += waiting
        row.oldest = min(filter(None, (row.oldest, since)), default=None)
    shown = dict(sorted(found.items(), key=lambda item: -item[1].waiting)[:MOST_ROWS])
    for tenant, row in shown.items():
        row.claimed = claimed.by_tenant[tenant]
    return list(shown.values())


def queue_by_destination(
    now: datetime, claimed: Claimed, standing: Standing, parked: Mapping[str, int]
) -> Destinations:
    """Return the destinations with the most due messages, counted among the first SAMPLE of them; those that
    wait for the destination's limit included."""
    tasks = list(due_tasks(now, standing).order_by().values_list("pk", flat=True)[:MOST_TASKS])
    # In the order of the index of due messages, so that nothing else is looked through for the sample.
    due = due_messages(now).filter(task__in=tasks).order_by("task_id", "next_attempt_at")
    found: dict[str, Queue] = {}
    counted = 0
    for domain, since in due.values_list("domain", "next_attempt_at")[: SAMPLE + 1]:
        counted += 1
        row = found.setdefault(domain, Queue(domain))
        row.waiting += 1
        row.oldest = min(filter(None, (row.oldest, since)))
    for domain, number in parked.items():
        if number:
            found.setdefault(domain, Queue(domain)).waiting += number
    for domain, number in claimed.by_domain.items():
        found.setdefault(domain, Queue(domain)).claimed = number
    rows = sorted(found.values(), key=lambda row: (-row.waiting - row.claimed, row.name))[:MOST_ROWS]
    return Destinations(rows, min(counted, SAMPLE), counted <= SAMPLE)


def claimed() -> Claimed:
    """Count what workers hold; here, since to group it some databases would walk all messages."""
    found = Claimed()
    rows = Message.objects.filter(lease_token__isnull=False).order_by().values_list("tenant", "domain")
    for tenant, domain in rows[:SAMPLE]:
        found.by_tenant[tenant] += 1
        found.by_domain[domain] += 1
    return found


def workers(now: datetime) -> list[WorkerLine]:
    """Return the worker processes that live, and those whose claims nobody has taken over yet."""
    claims = {
        worker: (host, number, until)
        for worker, host, number, until in Claim.objects.order_by()
        .values_list("worker", "host")
        .annotate(Count("pk"), Max("lease_until"))
    }
    silent = now - timedelta(seconds=settings.LEASE_SECONDS)
    lines = []
    for row in Worker.objects.order_by("host", "since")[:200]:
        _host, number, until = claims.pop(row.name, (row.host, 0, None))
        lines.append(
            WorkerLine(
                row.name, row.host, row.pid, row.since, row.seen_at, row.connections, row.untold, number, until,
                is_silent=number > 0 and row.seen_at < silent,
            )
        )  # fmt: skip
    for name, (host, number, until) in sorted(claims.items())[:200]:
        lines.append(WorkerLine(name, host, None, None, None, 0, 0, number, until, is_silent=until < now))
    return lines


def slowest() -> list[Slow]:
    """Return the destinations that took the longest for a mail, among the latest attempts."""
    newest = Attempt.objects.aggregate(Max("pk"))["pk__max"] or 0
    took = ExpressionWrapper(F("finished_at") - F("started_at"), output_field=DurationField())
    late = Q(verdict__in=(Verdict.DEFERRED, Verdict.THROTTLED))
    # Each domain by its message's key: a join would look through all messages, however few attempts it needs.
    domain = Message.objects.filter(pk=OuterRef("message")).values("domain")
    rows = (
        Attempt.objects.filter(pk__gt=newest - SAMPLE)
        .order_by()
        .annotate(domain=Subquery(domain))
        .values("domain")
        .annotate(attempts=Count("pk"), took=Avg(took), deferred=Count("pk", filter=late))
        .order_by("-took", "domain")[:MOST_ROWS]
    )
    return [
        Slow(row["domain"], row["attempts"], row["took"].total_seconds(), row["deferred"]) for row in rows
    ]
