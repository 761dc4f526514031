"""What workers tell of themselves: that they live, where their seconds go, how their attempts ended.

Kept in the database, added up there over all processes and hosts: whoever asks sees all of them at one place,
and a process that dies takes two seconds of counting with it, no more. Nothing is decided by these rows.
"""

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import Error, connection, models
from django.utils import timezone

from email_service.delivery.envelopes import Outcome
from email_service.delivery.replies import Verdict
from email_service.send_tasks.models_workers import Heartbeat, Pace, Tally, Worker

logger = logging.getLogger(__name__)
BEAT_EVERY = 2.0
KEPT = timedelta(hours=2)
SWEEP = "sweep"
CLAIM, RENDER, SIGN, SMTP, RECORD = STAGES = ("claim", "render", "sign", "smtp", "record")
SECONDS, ATTEMPTS, EXPIRED = "seconds", "attempts", "claims_expired"
IN_DOUBT = "in_doubt"
# Open connections, and replies that are not in the database yet.
Gauges = Callable[[], tuple[int, int]]


class Pulse:
    """One worker process's own counts; written down every two seconds while it works."""

    def __init__(self, worker: str, host: str, gauges: Gauges) -> None:
        self.worker = worker
        self.host = host
        self.since = timezone.now()
        self._gauges = gauges
        self._seconds = dict.fromkeys(STAGES, 0.0)
        self._told = dict.fromkeys(STAGES, 0.0)
        self._paces: Counter[tuple[datetime, str]] = Counter()
        self._counting = threading.Lock()
        self._beating = threading.Lock()
        self._beaten_at = 0.0

    @contextmanager
    def stage(self, name: str, *, but: Sequence[str] = ()) -> Iterator[None]:
        """Count the seconds of a stage, those of the stages inside it left out."""
        began_at, inside = time.perf_counter(), self._sum(but)
        try:
            yield
        finally:
            # What another thread did meanwhile may be more than the time that passed.
            spent = time.perf_counter() - began_at - (self._sum(but) - inside)
            self._seconds[name] += max(spent, 0.0)

    def made(self, render: float, sign: float) -> None:
        """Count what one mail took to make: too often called for a block of its own."""
        self._seconds[RENDER] += render
        self._seconds[SIGN] += sign

    def count(self, outcomes: Iterable[Outcome]) -> None:
        """Count attempts by how they ended."""
        minute = timezone.now().replace(second=0, microsecond=0)
        with self._counting:
            for outcome in outcomes:
                if outcome.verdict != Verdict.WITHHELD:
                    self._paces[minute, IN_DOUBT if outcome.in_doubt else str(outcome.verdict)] += 1

    def beat(self, *, at_once: bool = False) -> None:
        """Write down what was counted since the last time, if that is two seconds ago or there is no later.

        Called from both threads of a worker. A database that does not answer is no reason to stop sending.
        """
        if not at_once and time.monotonic() - self._beaten_at < BEAT_EVERY:
            return
        if not self._beating.acquire(blocking=False):
            return
        try:
            self._beaten_at = time.monotonic()
            self._write()
        except Error as error:
            logger.warning("What this worker counted could not be written down: %s", error)
        finally:
            self._beating.release()

    def rest(self) -> None:
        """Write down what is left when there is nothing to do."""
        if self._paces or self._seconds != self._told:
            self.beat(at_once=True)

    def end(self) -> None:
        """Say good-bye: what is left is written down, and the worker is listed no more."""
        self.rest()
        try:
            forget(self.worker)
        except Error as error:
            logger.warning("This worker could not be taken off the list: %s", error)

    def _write(self) -> None:
        with self._counting:
            paces, self._paces = self._paces, Counter()
        now_spent = dict(self._seconds)
        attempts: Counter[str] = Counter()
        for (_minute, verdict), number in paces.items():
            attempts[verdict] += number
        connections, untold = self._gauges()
        upsert(
            Worker,
            [
                {
                    "name": self.worker,
                    "host": self.host,
                    "pid": os.getpid(),
                    "since": self.since,
                    "seen_at": timezone.now(),
                    "connections": connections,
                    "untold": untold,
                }
            ],
            key=("name",),
        )
        tally(
            self.host,
            {(SECONDS, name): now_spent[name] - self._told[name] for name in STAGES}
            | {(ATTEMPTS, verdict): number for verdict, number in attempts.items()},
        )
        self._told = now_spent
        rows = [
            {"minute": minute, "verdict": verdict, "attempts": number}
            for (minute, verdict), number in sorted(paces.items())
        ]
        upsert(Pace, rows, key=("minute", "verdict"), adds="attempts")

    def _sum(self, names: Sequence[str]) -> float:
        return sum(self._seconds[name] for name in names)


def tally(host: str, counts: Mapping[tuple[str, str], float]) -> None:
    """Add to what the host's workers have counted."""
    # Sorted, so that two writers never wait for each other.
    rows = [
        {"host": host, "name": name, "label": label, "value": value}
        for (name, label), value in sorted(counts.items())
        if value
    ]
    upsert(Tally, rows, key=("host", "name", "label"), adds="value")


def forget(worker: str) -> None:
    """Take a worker off the list whose journal is gone."""
    Worker.objects.filter(name=worker).delete()


def tick(name: str = SWEEP) -> None:
    """Note that something ran by the clock, and drop what only the last hour needs."""
    now = timezone.now()
    upsert(Heartbeat, [{"name": name, "at": now}], key=("name",))
    Pace.objects.filter(minute__lt=now - KEPT).delete()


def upsert(
    model: type[models.Model], rows: Sequence[Mapping[str, Any]], *, key: tuple[str, ...], adds: str = ""
) -> None:
    """Insert rows in one statement; one that is there gets the new values, or `adds` added to its own."""
    if not rows:
        return
    if not adds:
        changed = [name for name in rows[0] if name not in key]
        model._default_manager.bulk_create(
            [model(**row) for row in rows], update_conflicts=True, unique_fields=key, update_fields=changed
        )
        return
    table, names = model._meta.db_table, list(rows[0])
    places = ", ".join(f"({', '.join(['%s'] * len(names))})" for _ in rows)
    adapt = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES {places} "  # noqa: S608 - names of our own tables
            f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {adds} = {table}.{adds} + EXCLUDED.{adds}",
            [
                adapt(value) if isinstance(value, datetime) else value
                for row in rows
                for value in row.values()
            ],
        )
