"""What Prometheus reads of the engine, computed from the database when it asks.

The workers are many processes on many hosts, and what counts is what stands in rows: one scrape of any console
process tells of all of them, and a restart forgets nothing. No label names an account, a domain or an address.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Count, Max, Min, Q, Sum
from django.utils import timezone
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from email_service.send_details.models import Message
from email_service.send_tasks import pulse
from email_service.send_tasks.claims import due_messages, due_tasks
from email_service.send_tasks.models import Claim, ClaimCounter, Task
from email_service.send_tasks.models_workers import Heartbeat, Tally, Worker
from email_service.setup.queries import HALTED

OUTCOMES = ("delivered", "failed", "rejected", "cancelled")


class EngineCollector(Collector):
    def describe(self) -> Iterable[Metric]:
        """Say nothing beforehand: registering must not ask the database."""
        return ()

    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        yield from _messages()
        # By their tasks' numbers, so that they are counted in the index of due messages.
        tasks = list(due_tasks(now).values_list("pk", flat=True))
        due = (
            due_messages(now)
            .filter(task__in=tasks)
            .aggregate(number=Count("*"), oldest=Min("next_attempt_at"))
        )
        age = (now - due["oldest"]).total_seconds() if due["oldest"] else 0.0
        yield _gauge("messages_due", "Messages that could be claimed now.", due["number"])
        yield _gauge("queue_age_seconds", "How long the oldest due message has waited.", age)
        claimed = Message.objects.filter(lease_token__isnull=False).count()
        parked = Message.objects.filter(
            status=Message.Status.PENDING, lease_token=None, parked_since__isnull=False
        )
        yield _gauge("messages_parked", "Messages that wait for their destination's limit.", parked.count())
        yield _gauge("messages_claimed", "Messages that workers hold.", claimed)
        held = Message.objects.filter(status=Message.Status.HELD).count()
        yield _gauge("messages_held", "Messages in doubt that wait for a decision.", held)
        yield from _claims(now)
        yield from _workers(now - timedelta(seconds=settings.HOST_SILENT_SECONDS))
        yield from _tallies()
        yield _gauge("sending_paused", "1 while an operator has paused all sending.", int(HALTED.exists()))
        swept_at = Heartbeat.objects.filter(name=pulse.SWEEP).aggregate(at=Max("at"))["at"]
        if swept_at is not None:
            age = (now - swept_at).total_seconds()
            yield _gauge("sweep_age_seconds", "How long ago the sweep last ran.", age)


def _messages() -> Iterator[Metric]:
    """Messages by outcome, from the tasks' counters: made anew from rows every few seconds, in no need of an index."""
    sums = Task.objects.aggregate(**{name: Sum(f"{name}_count") for name in (*OUTCOMES, "pending")})
    ended = CounterMetricFamily(
        "koomessage_messages", "Messages that have an end, by outcome.", labels=["outcome"]
    )
    for name in OUTCOMES:
        ended.add_metric([name], sums[name] or 0)
    yield ended
    yield _gauge("messages_unfinished", "Messages that have no end yet.", sums["pending"] or 0)


def _claims(now: object) -> Iterator[Metric]:
    given_out = ClaimCounter.objects.filter(pk=1).aggregate(value=Max("value"))["value"] or 0
    yield CounterMetricFamily("koomessage_claims", "Claims given out.", value=given_out)
    rows = Claim.objects.aggregate(alive=Count("pk", filter=Q(lease_until__gt=now)), all=Count("pk"))
    yield _gauge("claims_open", "Claims whose lease runs.", rows["alive"])
    yield _gauge(
        "claims_overdue",
        "Claims whose lease is over and which nobody took over yet.",
        rows["all"] - rows["alive"],
    )


def _workers(since: object) -> Iterator[Metric]:
    alive = Worker.objects.filter(seen_at__gte=since).aggregate(
        number=Count("pk"), connections=Sum("connections"), untold=Sum("untold")
    )
    yield _gauge("workers", "Worker processes that told of themselves lately.", alive["number"])
    yield _gauge("connections_open", "Connections open to servers.", alive["connections"] or 0)
    yield _gauge(
        "journal_lag_replies", "Replies in journals that are not in the database yet.", alive["untold"] or 0
    )


def _tallies() -> Iterator[Metric]:
    sums = {
        (name, label): value
        for name, label, value in Tally.objects.order_by("name", "label")
        .values_list("name", "label")
        .annotate(Sum("value"))
    }
    seconds = CounterMetricFamily(
        "koomessage_stage_seconds", "Seconds workers spent, by stage.", labels=["stage"]
    )
    for stage in pulse.STAGES:
        seconds.add_metric([stage], sums.get((pulse.SECONDS, stage), 0.0))
    yield seconds
    attempts = CounterMetricFamily("koomessage_attempts", "Attempts, by how they ended.", labels=["verdict"])
    for (name, label), value in sums.items():
        if name == pulse.ATTEMPTS:
            attempts.add_metric([label], value)
    yield attempts
    expired = sums.get((pulse.EXPIRED, ""), 0)
    yield CounterMetricFamily(
        "koomessage_claims_expired", "Claims taken over from workers that died.", value=expired
    )


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(f"koomessage_{name}", what, value=value)
