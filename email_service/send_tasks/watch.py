"""What a worker looks at just before the final dot: its lease, and who must get no mail any more.

One thread a worker process asks the database; the engine's guard only looks at what it found.
"""

import logging
import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.db import Error, close_old_connections, connections
from django.db.models import Exists
from django.utils import timezone

from email_service.delivery.envelopes import Envelope
from email_service.feedback.queries import suppressed_keys
from email_service.send_tasks import ceilings, claims
from email_service.send_tasks.claims import Batch
from email_service.send_tasks.models import Task
from email_service.setup.queries import HALTED

logger = logging.getLogger(__name__)
LOOK_EVERY = 0.5
# What was found longer ago says nothing: the process stood still, or the database does not answer.
BELIEVED_FOR = 5.0
IDLE_AFTER = 10.0


class Guard:
    """May this message of the batch still be sent? Answered from memory, without waiting."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.suppressed: frozenset[int] = frozenset()
        self.halted = False
        self._ids = {message.recipient_key: message.id for message in batch.messages}
        self._looked_at = 0.0
        self._lease_until = time.monotonic() + settings.LEASE_SECONDS
        self._renew_at = time.monotonic() + settings.LEASE_RENEW_SECONDS

    def allows(self, envelope: Envelope) -> bool:
        is_fresh = time.monotonic() - self._looked_at < BELIEVED_FOR
        return is_fresh and not self.halted and self.has_lease and envelope.message_id not in self.suppressed

    @property
    def has_lease(self) -> bool:
        """True until the lease ends; a lease that ended once is never the worker's again."""
        return time.monotonic() < self._lease_until

    def look(self) -> None:
        """Ask the database who was suppressed, whether the task was stopped or limited, and keep the lease."""
        task = self.batch.task
        began_at = time.monotonic()
        self.suppressed = frozenset(
            self._ids[key] for key in suppressed_keys(task.tenant_id, list(self._ids)) if key in self._ids
        )
        going = Task.objects.filter(pk=task.pk, status=Task.Status.SENDING)
        going = going.exclude(tenant__email_service__paused=True).exclude(Exists(HALTED.all()))
        # Under other limits than it was claimed under, what is left goes back and is claimed anew.
        limits = ceilings.read(timezone.now()).terms(task)
        self.halted = not going.exists() or limits != self.batch.terms
        self._looked_at = began_at
        # The lease is counted from before the question: the database's answer may be long under way.
        asked_at = time.monotonic()
        if asked_at >= self._renew_at and self.has_lease:
            if claims.renew(self.batch.token):
                self._lease_until = asked_at + settings.LEASE_SECONDS
                self._renew_at = asked_at + settings.LEASE_RENEW_SECONDS
            else:
                self._lease_until = asked_at


class Watch:
    """The thread of a worker process that keeps the guards of the batches in hand up to date.

    `on_look` is called after each look: what a worker tells of itself while a batch is under way.
    """

    def __init__(self, on_look: Callable[[], object]) -> None:
        self._on_look = on_look
        self._guards: list[Guard] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def begin(self, batch: Batch) -> Guard:
        """Watch over the batch until `end`; the first look is taken before anything is sent."""
        guard = Guard(batch)
        guard.look()
        with self._changed:
            self._guards.append(guard)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="dispatch-watch", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return guard

    def end(self, guard: Guard) -> None:
        with self._changed:
            self._guards.remove(guard)

    def stop(self) -> None:
        """End the thread and its database connection."""
        thread = self._thread
        self._thread = None
        with self._changed:
            self._changed.notify_all()
        if thread is not None and thread is not threading.current_thread():
            thread.join(5)

    def _run(self) -> None:
        me = threading.current_thread()
        try:
            while self._waits_for_work():
                with self._changed:
                    self._changed.wait_for(lambda: self._thread is not me, LOOK_EVERY)
                    guards = tuple(self._guards)
                for guard in guards:
                    _look_safely(guard)
                if guards:
                    self._on_look()
        finally:
            connections.close_all()

    def _waits_for_work(self) -> bool:
        """Wait for a batch to watch over; False when none came for long, or the thread is told to end."""
        me = threading.current_thread()
        with self._changed:
            self._changed.wait_for(lambda: bool(self._guards) or self._thread is not me, IDLE_AFTER)
            if self._thread is me and not self._guards:
                self._thread = None
            return self._thread is me


def _look_safely(guard: Guard) -> None:
    try:
        close_old_connections()
        guard.look()
    except Error as error:
        # Without the database nothing is renewed: the lease runs out and the batch stops by itself.
        logger.warning("The sets before the dot could not be refreshed: %s", error)
        connections.close_all()
