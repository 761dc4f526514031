"""Messages in, outcomes out: a plain call in front, an event loop in a thread behind."""

import threading
import time
from collections import deque
from collections.abc import Iterable

from email_service.delivery.engine.attempts import Attempt
from email_service.delivery.engine.background import Background
from email_service.delivery.engine.batch import DeliveryBatch
from email_service.delivery.engine.journal import Journal
from email_service.delivery.engine.lanes import Lanes, for_direct
from email_service.delivery.engine.limits import Limits
from email_service.delivery.engine.office import Way
from email_service.delivery.engine.opening import Door, open_connection
from email_service.delivery.engine.pool import Pool
from email_service.delivery.engine.run import Run
from email_service.delivery.engine.shared import Shared
from email_service.delivery.engine.smtp import SmtpConnection
from email_service.delivery.envelopes import Claim, Envelope
from email_service.delivery.routing import Direct, Guard, OnOutcomes, Relay


class Engine:
    """Sends through one relay, or directly. A `Transport`; make it in the worker process, after forking."""

    def __init__(
        self,
        journal: Journal,
        relay: Relay | Direct,
        limits: Limits | None = None,
        *,
        hostname: str = "localhost",
    ) -> None:
        self.journal = journal
        self.relay = relay
        self._limits = limits or Limits()
        if isinstance(relay, Direct):
            self._limits = for_direct(self._limits)
        self._hostname = hostname
        self._turn = threading.Lock()
        self._background: Background | None = None
        self._way: Way
        self._inbox: deque[Attempt] = deque()
        self._inbox_noticed = False
        self._is_stopping = False
        self._stop_by = 0.0
        self._not_begun: tuple[int, ...] = ()
        self._batch: DeliveryBatch | None = None

    @property
    def connections(self) -> int:
        """How many connections are open; any thread may ask."""
        # The way comes a moment after the thread it lives in.
        way: Way | None = getattr(self, "_way", None)
        return way.connections if way is not None and self._background is not None else 0

    @property
    def untold(self) -> int:
        """How many outcomes of the batch in hand have not been told yet; any thread may ask."""
        batch = self._batch
        return batch.untold if batch is not None else 0

    def deliver(
        self, claim: Claim, envelopes: Iterable[Envelope], *, guard: Guard, on_outcomes: OnOutcomes
    ) -> None:
        """Give every message of the claim exactly one outcome, told in lists to `on_outcomes`.

        `render` and `on_outcomes` run in this thread, `guard` in the engine's: it must not block.
        Whatever `on_outcomes` or the envelopes raise comes out of here, once bodies in flight
        have ended; the batch then stays open in the journal, which has every reply.
        """
        with self._turn:
            self.journal.claimed(claim)
            batch = self._batch = DeliveryBatch(claim, guard, self._limits.report_size)
            run = Run(self, batch, on_outcomes)
            self._start(batch)
            try:
                run.feed(envelopes)
                run.finish()
            except BaseException:
                run.settle()
                raise
            self.journal.close_batch(claim.token)
            if batch.failure is not None:
                raise batch.failure

    def stop(self, grace: float | None = None) -> None:
        """Begin nothing more; `deliver` ends by itself. Only sets a flag: a signal may call it."""
        self._stop_by = time.monotonic() + (self._limits.grace if grace is None else grace)
        self._is_stopping = True

    def close(self, grace: float = 60.0) -> tuple[int, ...]:
        """Stop, wait for bodies in flight as long as `grace`, part from the relay.

        Answers the messages that were not begun. Not for the thread that is inside `deliver`.
        """
        self.stop(grace)
        with self._turn:
            if self._background is not None:
                self._background.run(self._way.quit())
                self._background.close()
                self._background = None
        return self._not_begun

    # For the run of one `deliver`

    @property
    def limits(self) -> Limits:
        return self._limits

    @property
    def way(self) -> Way:
        return self._way

    @property
    def is_stopping(self) -> bool:
        return self._is_stopping

    @property
    def stop_by(self) -> float:
        return self._stop_by

    def put(self, attempt: Attempt) -> None:
        self._inbox.append(attempt)
        if not self._inbox_noticed:
            self._inbox_noticed = True
            self._running.later(self._take_inbox)

    @property
    def waiting(self) -> int:
        return len(self._inbox) + self._way.waiting

    def withdraw(self) -> None:
        """Withhold what is waiting; when it returns, nothing new can be begun."""
        self._running.run(self._withdraw())

    def abort(self, reason: str) -> None:
        self._running.later(self._way.abort, reason)

    def set_aside(self, message_ids: tuple[int, ...]) -> None:
        self._not_begun = message_ids

    # Inside

    @property
    def _running(self) -> Background:
        if self._background is None:
            raise RuntimeError("The engine is closed.")
        return self._background

    def _start(self, batch: DeliveryBatch) -> None:
        if self._background is None:
            self._background = Background()
            self._way = self._background.run(self._make_way())
        self._way.shared.on_failure = batch.fail
        self._way.shared.is_stopped = self._is_stopping

    async def _make_way(self) -> Way:
        limits, relay = self._limits, self.relay
        shared = Shared(self.journal, timeouts=limits.timeouts, idle=limits.idle, hostname=self._hostname)
        if isinstance(relay, Direct):
            lanes = Lanes(shared, relay, limits)
            shared.abort = lanes.abort
            return lanes

        async def connect() -> SmtpConnection:
            return await open_connection(Door.of(relay), limits.timeouts, self._hostname)

        pool = Pool(shared, connect, connections=limits.connections or relay.connections)
        shared.abort = pool.abort
        pool.keep_tidy()
        return pool

    def _take_inbox(self) -> None:
        # Lowered first: what is appended while we look is either seen now or noticed again.
        self._inbox_noticed = False
        attempts = []
        while self._inbox:
            attempts.append(self._inbox.popleft())
        self._way.put(attempts)

    async def _withdraw(self) -> None:
        self._way.shared.is_stopped = True
        self._take_inbox()
        self._way.withdraw()
