"""Messages in, outcomes out: plain calls in front, an event loop in a thread behind."""

import threading
import time
from collections.abc import Iterable

from email_service.delivery.engine.background import Background
from email_service.delivery.engine.batch import DeliveryBatch
from email_service.delivery.engine.delivery import Delivery
from email_service.delivery.engine.journal import Journal
from email_service.delivery.engine.lanes import Lanes, for_direct
from email_service.delivery.engine.limits import Limits
from email_service.delivery.engine.office import Way
from email_service.delivery.engine.opening import Door, open_connection
from email_service.delivery.engine.relay import RelayPool
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
        self.limits = limits or Limits()
        if isinstance(relay, Direct):
            self.limits = for_direct(self.limits)
        self.stop_by = 0.0
        self.is_stopping = False
        self._hostname = hostname
        self._background: Background | None = None
        self._way: Way
        self._open: list[DeliveryBatch] = []
        self._turn = threading.Condition()
        self._not_begun: tuple[int, ...] = ()

    @property
    def connections(self) -> int:
        """How many connections are open; any thread may ask."""
        # The way comes a moment after the thread it lives in.
        way: Way | None = getattr(self, "_way", None)
        return way.connections if way is not None and self._background is not None else 0

    @property
    def untold(self) -> int:
        """How many outcomes have not been told yet; any thread may ask."""
        return sum(batch.untold for batch in tuple(self._open))

    def deliver(
        self, claim: Claim, envelopes: Iterable[Envelope], *, guard: Guard, on_outcomes: OnOutcomes
    ) -> None:
        """Give every message of the claim exactly one outcome, told in lists to `on_outcomes` in this thread."""
        delivery = self.begin(claim, envelopes, guard=guard, on_outcomes=on_outcomes)
        try:
            delivery.finish()
        except BaseException:
            delivery.settle()
            raise

    def begin(
        self,
        claim: Claim,
        envelopes: Iterable[Envelope],
        *,
        guard: Guard,
        on_outcomes: OnOutcomes,
        news: threading.Event | None = None,
        few: int = 0,
    ) -> Delivery:
        """Hand over the claim's messages and return at once; several may be under way side by side.

        `render` and `guard` run in the engine's thread, the guard must not block. `news` is set when there is
        something to attend to, also when no more than a `few` messages are still under way. Whatever the
        envelopes raise comes out of here, nothing begun; the batch then stays open in the journal.
        """
        news = news or threading.Event()
        self.journal.claimed(claim)
        batch = DeliveryBatch(claim, guard, self.limits.report_size, news=news, few=few)
        attempts = batch.attempts(envelopes)
        with self._turn:
            if self._background is None:
                self._background = Background()
                self._way = self._background.run(self._make_way())
            if not self._open:
                self._way.shared.is_stopped = self.is_stopping
            self._open.append(batch)
            self._background.later(self._way.put, attempts)
        return Delivery(self, batch, on_outcomes, news)

    def stop(self, grace: float | None = None) -> None:
        """Begin nothing more; deliveries end by themselves. Only sets a flag: a signal may call it."""
        self.stop_by = time.monotonic() + (self.limits.grace if grace is None else grace)
        self.is_stopping = True

    def close(self, grace: float = 60.0) -> tuple[int, ...]:
        """Stop, wait for bodies in flight as long as `grace`, part from the relay.

        Answers the messages that were not begun. Not for the thread that attends to a delivery.
        """
        self.stop(grace)
        with self._turn:
            self._turn.wait_for(lambda: not self._open)
            if self._background is not None:
                self._background.run(self._way.quit())
                self._background.close()
                self._background = None
        return self._not_begun

    # For a delivery

    def withdraw(self) -> None:
        """Withhold what is waiting; when it returns, nothing new can be begun."""
        if self._background is not None:
            self._background.run(self._withdraw())

    def abort(self, reason: str) -> None:
        if self._background is not None:
            self._background.later(self._way.abort, reason)

    def ended(self, batch: DeliveryBatch, *, is_told: bool) -> None:
        """Forget a batch of which nothing is under way; where all of it is told, its journal entries too."""
        try:
            if is_told:
                self.journal.close_batch(batch.token)
        finally:
            with self._turn:
                if batch in self._open:
                    self._open.remove(batch)
                    if self.is_stopping:
                        self._not_begun += tuple(batch.withheld)
                self._turn.notify_all()

    # Inside

    async def _make_way(self) -> Way:
        limits, relay = self.limits, self.relay
        shared = Shared(self.journal, timeouts=limits.timeouts, idle=limits.idle, hostname=self._hostname)
        shared.on_failure = self._failed
        if isinstance(relay, Direct):
            lanes = Lanes(shared, relay, limits)
            shared.abort = lanes.abort
            return lanes

        async def connect() -> SmtpConnection:
            return await open_connection(Door.of(relay), limits.timeouts, self._hostname)

        pool = RelayPool(shared, connect, connections=limits.connections or relay.connections)
        shared.abort = pool.abort
        pool.keep_tidy()
        return pool

    def _failed(self, error: Exception) -> None:
        for batch in tuple(self._open):
            batch.fail(error)

    async def _withdraw(self) -> None:
        self._way.shared.is_stopped = True
        self._way.withdraw()
