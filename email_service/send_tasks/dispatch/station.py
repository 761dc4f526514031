"""What one worker process keeps between batches: its journal, its engines, its watch, its compiled mails."""

import os
from pathlib import Path

from django.conf import settings
from django.db import connection

from email_service.delivery.engine import Engine, Journal
from email_service.delivery.routing import Direct, Relay
from email_service.send_tasks import progress, pulse, turns
from email_service.send_tasks.dispatch.speed import Speed
from email_service.send_tasks.dispatch.takeover import recover, refuse_restored_database
from email_service.send_tasks.mailing import Mailing, prepare
from email_service.send_tasks.models import Task
from email_service.send_tasks.transports import way_of
from email_service.send_tasks.watch import Watch
from email_service.setup.models import Transport

KEPT_MAILINGS = 4


class Station:
    """What one worker process keeps between batches."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pid = os.getpid()
        self.host = settings.HOST_NAME
        self.journal = Journal.open(folder, self.host[:40], fsync=settings.JOURNAL_FSYNC)
        self.name = self.journal.path.name
        self.note = turns.Note(turns.beside(self.journal.path))
        self.pulse = pulse.Pulse(self.name, self.host, self.gauges)
        self.watch = Watch(self.pulse.beat)
        self.is_settled = True
        self.connection: object = None  # the one over which the database was last looked at
        self.counting = progress.Counting()
        self.speed = Speed()
        self._engines: dict[Relay | Direct, Engine] = {}
        self._mailings: dict[int, Mailing] = {}

    def engine(self, transport: Transport) -> Engine:
        way = way_of(transport)
        if way not in self._engines:
            self._engines[way] = Engine(self.journal, way, hostname=settings.PLATFORM_BOUNCE_HOST)
        if _is_stopping:
            self._engines[way].stop(settings.SHUTDOWN_GRACE)
        return self._engines[way]

    def mailing(self, task: Task) -> Mailing:
        """Return the task's compiled mail: what is frozen at submit need be compiled only once."""
        if task.pk not in self._mailings:
            while len(self._mailings) >= KEPT_MAILINGS:
                self._mailings.pop(next(iter(self._mailings)))
            self._mailings[task.pk] = prepare(task)
        return self._mailings[task.pk]

    def gauges(self) -> tuple[int, int]:
        """Return how many connections are open, and how many outcomes are not in the database yet."""
        engines = list(self._engines.values())
        return sum(engine.connections for engine in engines), sum(engine.untold for engine in engines)

    def stop(self) -> None:
        for engine in list(self._engines.values()):
            engine.stop(settings.SHUTDOWN_GRACE)

    def close(self, grace: float) -> None:
        try:
            for engine in self._engines.values():
                engine.close(grace)
            self.watch.stop()
            if self.is_settled:
                self.journal.remove()
                self.pulse.end()
        finally:
            self.journal.close()
            self.note.close(keep=not self.is_settled)


_station: Station | None = None
_is_stopping = False


def is_stopping() -> bool:
    return _is_stopping


def current() -> Station:
    """Return this process's station, opened at first use, after a fork and after a failure.

    First what was left on this host is written down; while the database does not take it, nothing is sent.
    """
    global _station  # noqa: PLW0603 - one a process is the point
    if _station is None or _station.pid != os.getpid() or _station.folder != settings.JOURNAL_DIR:
        refuse_restored_database()
        recover()
        _station = Station(settings.JOURNAL_DIR)
    return _station


def stop() -> None:
    """Begin nothing more in this process; only sets flags, so that a signal may call it.

    A batch under way gives back what was not begun, and waits for bodies in flight.
    """
    global _is_stopping  # noqa: PLW0603
    _is_stopping = True
    current = _station
    if current is not None and current.pid == os.getpid():
        current.stop()


def shut_down(grace: float | None = None) -> None:
    """Give back what was not begun, wait for bodies in flight, and leave no journal behind."""
    global _station, _is_stopping
    current, _station, _is_stopping = _station, None, False
    if current is not None and current.pid == os.getpid():
        current.close(settings.SHUTDOWN_GRACE if grace is None else grace)


def leave(here: Station) -> None:
    """Part from a journal that knows more than the database: whoever on this host comes first replays it."""
    global _station  # noqa: PLW0603
    _station = None
    here.close(0)


def look_at_database(here: Station) -> None:
    """Refuse a database that was restored, or replaced by one that lags, while this worker ran."""
    connection.ensure_connection()
    if here.connection is not connection.connection:
        refuse_restored_database()
        here.connection = connection.connection
