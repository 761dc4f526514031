"""Where the database meets the engine: batches out, outcomes back, and what a dead worker left behind.

The only module that runs `delivery.engine`. One station a worker process: its journal, its engines, its watch.
"""

import logging
import os
import socket
import threading
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.db import connection

from email_service.delivery.engine import Engine, Journal, abandoned, high_water, replay
from email_service.delivery.envelopes import Claim, Outcome
from email_service.delivery.replies import Verdict
from email_service.delivery.routing import Direct, Relay
from email_service.send_details import outcomes as details
from email_service.send_tasks import claims, progress, pulse, reasons, restored, results, turns, verdicts
from email_service.send_tasks.claims import Batch, Claimed
from email_service.send_tasks.mailing import CannotPrepare, Mailing, prepare
from email_service.send_tasks.models import Claim as ClaimRow
from email_service.send_tasks.models import Task
from email_service.send_tasks.transports import way_of
from email_service.send_tasks.watch import Guard, Watch
from email_service.setup.models import EmailService, Transport

logger = logging.getLogger(__name__)
KEPT_MAILINGS = 4


class Station:
    """What one worker process keeps between batches."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pid = os.getpid()
        self.host = socket.gethostname()[:255]
        self.journal = Journal.open(folder, self.host[:40], fsync=settings.JOURNAL_FSYNC)
        self.name = self.journal.path.name
        self.note = turns.Note(turns.beside(self.journal.path))
        self.pulse = pulse.Pulse(self.name, self.host, self.gauges)
        self.watch = Watch(self.pulse.beat)
        self.is_settled = True
        self.connection: object = None  # the one over which the database was last looked at
        self.counting = progress.Counting()
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


_lock = threading.Lock()
_station: Station | None = None
_is_stopping = False


def station() -> Station:
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


def refuse_restored_database() -> None:
    restored.refuse(settings.JOURNAL_DIR, high_water(settings.JOURNAL_DIR))


def resume_after_restore() -> int:
    """Let this host send again with a database it does not know; return the highest claim it knew.

    First the journals are applied: what was delivered under claims the database still knows is not sent again.
    """
    recover(is_restored=True)
    highest = high_water(settings.JOURNAL_DIR)
    claims.go_on_after(highest)
    restored.remember(settings.JOURNAL_DIR)
    return highest


def deliver_batch() -> bool:
    """Deliver one batch of the task whose turn it is; answer whether there may be more to do now.

    Safe to run twice, or twice at once: a batch is claimed before it is sent. A second call in one
    process waits for the first.
    """
    with _lock:
        if _is_stopping:
            return False
        here = station()
        _look_at_database(here)
        here.is_settled = False  # until all is well: a claim may stand though its answer was lost
        try:
            with here.pulse.stage(pulse.CLAIM):
                batch = claims.claim(worker=here.name, host=here.host)
            if batch is not None:
                _deliver(here, batch)
        except BaseException:
            leave(here)
            raise
        here.is_settled = True
        if batch is None:
            here.pulse.rest()
        else:
            here.pulse.beat()
    here.counting.after(batch)
    return batch is not None


def leave(here: Station) -> None:
    """Part from a journal that knows more than the database: whoever on this host comes first replays it."""
    global _station  # noqa: PLW0603
    _station = None
    here.close(0)


def _look_at_database(here: Station) -> None:
    """Refuse a database that was restored, or replaced by one that lags, while this worker ran."""
    connection.ensure_connection()
    if here.connection is not connection.connection:
        refuse_restored_database()
        here.connection = connection.connection


def _deliver(here: Station, batch: Batch) -> None:
    try:
        mailing = here.mailing(batch.task)
        service = EmailService.objects.select_related("transport").get(tenant=batch.task.tenant_id)
    except (CannotPrepare, EmailService.DoesNotExist) as problem:
        details.give_back(batch.token)
        logger.warning("Task %s is paused: %s", batch.task.code, problem)
        progress.pause(batch.task.pk, reasons.keep("mail"))
        claims.close(batch.token)
        return
    messages = _without_poison(batch)
    accepted = {message.id: message.accepted_at for message in messages}
    rules = results.rules_for(service.in_doubt)
    with here.watch.over(batch) as guard:

        def on_outcomes(found: Sequence[Outcome]) -> None:
            with here.pulse.stage(pulse.RECORD):
                results.apply(found, accepted=accepted, rules=rules, clock=claims.database_now)
                _give_back(batch, found, guard)
            here.pulse.count(found)

        claim = Claim(batch.token, tuple(accepted))
        envelopes = mailing.envelopes(messages, here.note.write, here.pulse.made)
        engine = here.engine(service.transport)
        with here.pulse.stage(pulse.SMTP, but=(pulse.RENDER, pulse.SIGN, pulse.RECORD)):
            engine.deliver(claim, envelopes, guard=guard.allows, on_outcomes=on_outcomes)
    _end(batch.token)


def _without_poison(batch: Batch) -> tuple[Claimed, ...]:
    """Set aside the messages over which workers died too often, and return the others."""
    poison = [message.id for message in batch.messages if message.crashes >= verdicts.MAX_CRASHES]
    if poison:
        details.set_aside(batch.token, poison, now=claims.database_now())
    return tuple(message for message in batch.messages if message.id not in poison)


def _give_back(batch: Batch, found: Sequence[Outcome], guard: Guard) -> None:
    """End the claim on what was not sent: rejected where the recipient was suppressed, else pending again."""
    withheld = {outcome.message_id for outcome in found if outcome.verdict == Verdict.WITHHELD}
    if not withheld:
        return
    keys = [row.recipient_key for row in batch.messages if row.id in withheld & guard.suppressed]
    if keys:
        details.reject_suppressed(batch.task.tenant_id, keys, now=claims.database_now(), token=batch.token)
    details.give_back(batch.token, withheld)


def _end(token: int) -> None:
    """Close a claim; whatever it still holds was never begun."""
    details.give_back(token)
    cancelled = Task.objects.filter(
        pk__in=ClaimRow.objects.filter(token=token).values("task"), status=Task.Status.CANCELLED
    ).first()
    if cancelled is not None:
        details.cancel_pending(cancelled)
    claims.close(token)


def recover(*, is_restored: bool = False) -> None:
    """Take over what workers of this host left that are dead or could not go on.

    A reply in the journal is applied, a mark without one is in doubt, everything else was never sent. One that
    cannot be applied now is left as it is, and the others come first; then its error is raised.
    """
    trouble: Exception | None = None
    for journal in abandoned(settings.JOURNAL_DIR):
        try:
            if not is_restored:
                refuse_restored_database()
            _take_over(journal)
        except Exception as error:
            trouble = trouble or error
        finally:
            journal.close()  # kept open it would stay locked, and nobody could try again
    if trouble is not None:
        raise trouble


def _take_over(journal: Journal) -> None:
    note = turns.beside(journal.path)
    crashed_over = turns.crashed_over(note)
    found = replay(journal)
    written = results.apply_recovered(found.replies, found.in_doubt, now=claims.database_now())
    # Only what was written: a take-over that was itself cut short is no second crash.
    claims.count_crash([row.message_id for row in found.in_doubt if row.message_id in written])
    untouched: defaultdict[int, list[int]] = defaultdict(list)
    for left in found.untouched:
        untouched[left.claim_token].append(left.message_id)
    for token, message_ids in untouched.items():
        if crashed_over in message_ids:
            details.give_back(token, [crashed_over], crashed=True)
        details.give_back(token, message_ids)
    left_open = claims.tokens_of(journal.path.name)
    for token in left_open:
        _end(token)
    pulse.tally(socket.gethostname()[:255], {(pulse.EXPIRED, ""): len(left_open)})
    pulse.forget(journal.path.name)
    note.unlink(missing_ok=True)
    journal.remove()


def give_up_silent() -> int:
    """Declare in doubt what workers hold whose host has been silent too long; return how many claims."""
    now = claims.database_now()
    gone = claims.silent(now)
    for claim in gone:
        results.apply_recovered((), results.doubtful_of(claim.token, now), now=now)
        claims.close(claim.token)
        pulse.tally(claim.host, {(pulse.EXPIRED, ""): 1})
        pulse.forget(claim.worker)
    return len(gone)
