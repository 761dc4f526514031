"""The connections to one relay: opened as there is work, kept between batches. Lives in the loop's thread."""

import asyncio
from collections import deque
from collections.abc import Callable

from email_service.delivery.engine.attempts import STOPPED, Attempt
from email_service.delivery.engine.breaker import Breaker, Trouble
from email_service.delivery.engine.courier import Courier
from email_service.delivery.engine.journal import Journal
from email_service.delivery.engine.office import Works
from email_service.delivery.engine.opening import Unreachable, open_connection
from email_service.delivery.engine.wire import Reply, Timeouts
from email_service.delivery.replies import Verdict
from email_service.delivery.routing import Relay

_TRIES = 2
_TIDY_EVERY = 5.0


class Pool:
    """Implements `Office` for its couriers."""

    def __init__(
        self,
        journal: Journal,
        relay: Relay,
        *,
        connections: int,
        timeouts: Timeouts,
        idle: float,
        hostname: str,
    ) -> None:
        self.journal = journal
        self.relay = relay
        self.host = relay.host
        self.is_stopped = False
        self.on_failure: Callable[[Exception], None] = lambda error: None
        self._loop = asyncio.get_running_loop()
        self._limit = connections
        self._timeouts = timeouts
        self._idle_for = idle
        self._hostname = hostname
        self._queue: deque[Attempt] = deque()
        self._couriers: set[Works] = set()
        self._idle: list[Works] = []
        self._opening: set[asyncio.Task[None]] = set()
        self._crowded_until = 0.0
        self._breaker = Breaker()
        self._syncing: list[Callable[[], None]] = []
        self._next_sync: list[Callable[[], None]] = []
        self._loop.call_later(_TIDY_EVERY, self._tidy)

    # For the engine

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def trouble(self) -> Trouble | None:
        return self._breaker.trouble_at(self._loop.time())

    def put(self, attempts: list[Attempt]) -> None:
        self._queue.extend(attempts)
        self._attend()

    def withdraw(self) -> None:
        """Withhold all that has not reached its dot."""
        while self._queue:
            attempt = self._queue.popleft()
            attempt.batch.report(attempt.outcome(Verdict.WITHHELD, STOPPED, host=self.host, tls=""))
        for courier in list(self._couriers):
            courier.withdraw()

    def abort(self, reason: str) -> None:
        for courier in list(self._couriers):
            courier.connection.drop(reason)

    async def quit(self) -> None:
        """Close every connection, politely where nothing is under way."""
        opening = list(self._opening)
        for task in opening:
            task.cancel()
        await asyncio.gather(*opening, return_exceptions=True)
        for courier in list(self._couriers):
            if courier.is_idle:
                courier.quit()
            else:
                courier.connection.drop(STOPPED)
        for _ in range(int(self._timeouts.quit * 50) + 1):
            if not self._couriers:
                break
            await asyncio.sleep(0.02)
        self.abort("Closed.")

    # For couriers

    def take(self) -> Attempt | None:
        return self._queue.popleft() if self._queue and not self.is_stopped else None

    def allows(self, attempt: Attempt) -> bool:
        if self.is_stopped:
            return False
        try:
            return attempt.batch.guard(attempt.envelope)
        except Exception as error:  # a guard that cannot tell has not said yes
            self.on_failure(error)
            return False

    def put_back(self, attempt: Attempt, reason: str) -> bool:
        """Try once more a message of which the server has heard nothing, on another connection."""
        attempt.tries += 1
        if attempt.tries >= _TRIES or self.is_stopped or self.trouble() is not None:
            return False
        self._queue.appendleft(attempt)
        self._loop.call_soon(self._attend)
        return True

    def after_sync(self, go_on: Callable[[], None]) -> None:
        """Call back once all that the journal holds now is on disk; one sync serves many."""
        self._next_sync.append(go_on)
        if not self._syncing:
            self._sync()

    def idle(self, courier: Works) -> None:
        if courier not in self._idle:
            self._idle.append(courier)

    def gone(self, courier: Works, *, closing: Reply | None) -> None:
        self._couriers.discard(courier)
        if courier in self._idle:
            self._idle.remove(courier)
        if closing is not None:
            trouble = Trouble(closing.text, closing.code, closing.enhanced)
            if self._breaker.note(trouble, self._loop.time()):
                self._refuse_queue(trouble)
        self._loop.call_soon(self._attend)

    def succeeded(self) -> None:
        self._breaker.reset()

    def failed(self, error: Exception) -> None:
        self.on_failure(error)

    # Inside

    def _attend(self) -> None:
        """Set idle couriers to work, and open connections while there is more."""
        trouble = self.trouble()
        if trouble is not None:
            self._refuse_queue(trouble)
            return
        while self._queue and self._idle and not self.is_stopped:
            self._idle.pop().go_on()
        if self.is_stopped or (self._couriers and self._loop.time() < self._crowded_until):
            return
        # One connection goes ahead of the others: a dead server is asked once.
        allowed = self._limit - len(self._couriers) if self._couriers else 1
        while len(self._opening) < min(allowed, len(self._queue)):
            task = self._loop.create_task(self._open())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _open(self) -> None:
        try:
            connection = await open_connection(self.relay, self._timeouts, self._hostname)
        except Unreachable as error:
            self._not_opened(Trouble(error.text, error.code, error.enhanced))
            return
        if self.is_stopped:
            connection.drop(STOPPED)
            return
        courier = Courier(self, connection)
        self._couriers.add(courier)
        courier.go_on()
        self._loop.call_soon(self._attend)

    def _not_opened(self, trouble: Trouble) -> None:
        now = self._loop.time()
        if self._couriers:
            # It serves those it has, and wants no more of us for now.
            self._crowded_until = now + _TIDY_EVERY
            return
        if len(self._opening) <= 1:
            self._breaker.trip(trouble, now)
            self._refuse_queue(trouble)

    def _refuse_queue(self, trouble: Trouble) -> None:
        while self._queue:
            attempt = self._queue.popleft()
            attempt.batch.report(
                attempt.outcome(
                    trouble.verdict,
                    trouble.text,
                    host=self.host,
                    tls="",
                    code=trouble.code,
                    enhanced=trouble.enhanced,
                )
            )

    def _sync(self) -> None:
        self._syncing, self._next_sync = self._next_sync, []
        task = self._loop.run_in_executor(None, self.journal.sync)
        task.add_done_callback(self._synced)

    def _synced(self, done: asyncio.Future[None]) -> None:
        waiting, self._syncing = self._syncing, []
        error = done.exception()
        if isinstance(error, Exception):
            self.on_failure(error)
            self.abort(f"The journal cannot be written: {error}.")
        else:
            for go_on in waiting:
                go_on()
        if self._next_sync:
            self._sync()

    def _tidy(self) -> None:
        """Close connections that had nothing to do for long."""
        now = self._loop.time()
        for courier in list(self._idle):
            if now - courier.idle_since > self._idle_for:
                self._idle.remove(courier)
                courier.quit()
        if self._queue:
            self._attend()
        self._loop.call_later(_TIDY_EVERY, self._tidy)
