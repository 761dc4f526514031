"""The connections to one server, or to those of one destination: opened as there is work, kept between batches.

Lives in the loop's thread.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from email_service.delivery.engine.attempts import STOPPED, Attempt
from email_service.delivery.engine.breaker import Breaker, Trouble
from email_service.delivery.engine.courier import Courier
from email_service.delivery.engine.office import Works
from email_service.delivery.engine.opening import Unreachable
from email_service.delivery.engine.shared import Shared
from email_service.delivery.engine.smtp import SmtpConnection
from email_service.delivery.engine.wire import Reply
from email_service.delivery.replies import Verdict

_TRIES = 2
_TIDY_EVERY = 5.0


class Pool:
    """Implements `Office` for its couriers."""

    def __init__(
        self, shared: Shared, connect: Callable[[], Awaitable[SmtpConnection]], *, connections: int
    ) -> None:
        self.shared = shared
        self.journal = shared.journal
        self._loop = shared.loop
        self._connect = connect
        self._limit = connections
        self._queue: deque[Attempt] = deque()
        self._couriers: set[Works] = set()
        self._idle: list[Works] = []
        self._opening: set[asyncio.Task[None]] = set()
        self._crowded_until = 0.0
        self._breaker = Breaker()

    # For the engine

    @property
    def waiting(self) -> int:
        return len(self._queue)

    @property
    def connections(self) -> int:
        return len(self._couriers)

    def keep_tidy(self) -> None:
        """Look after the connections from now on."""
        self._loop.call_later(_TIDY_EVERY, self._tidy)

    def trouble(self) -> Trouble | None:
        return self._breaker.trouble_at(self._loop.time())

    def put(self, attempts: list[Attempt]) -> None:
        self._queue.extend(attempts)
        self._attend()

    def withdraw(self) -> None:
        """Withhold all that has not reached its dot."""
        while self._queue:
            self._hand_back(self._queue.popleft(), STOPPED)
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
        for _ in range(int(self.shared.timeouts.quit * 50) + 1):
            if not self._couriers:
                break
            await asyncio.sleep(0.02)
        self.abort("Closed.")

    # For couriers

    def take(self) -> Attempt | None:
        return self._queue.popleft() if self._queue and not self.shared.is_stopped else None

    def put_first(self, attempt: Attempt) -> None:
        """Take back what was taken and not begun."""
        if self.shared.is_stopped:
            self._hand_back(attempt, STOPPED)
        else:
            self._queue.appendleft(attempt)

    def allows(self, attempt: Attempt) -> bool:
        if self.shared.is_stopped:
            return False
        try:
            return attempt.batch.guard(attempt.envelope)
        except Exception as error:  # a guard that cannot tell has not said yes
            self.shared.on_failure(error)
            return False

    def put_back(self, attempt: Attempt, reason: str) -> bool:
        """Try once more a message of which the server has heard nothing, on another connection."""
        attempt.tries += 1
        if attempt.tries >= _TRIES or self.shared.is_stopped or self.trouble() is not None:
            return False
        self._queue.appendleft(attempt)
        self._loop.call_soon(self._attend)
        return True

    def after_sync(self, go_on: Callable[[], None]) -> None:
        self.shared.after_sync(go_on)

    def idle(self, courier: Works) -> None:
        if courier not in self._idle:
            self._idle.append(courier)

    def gone(self, courier: Works, *, closing: Reply | None) -> None:
        self._couriers.discard(courier)
        self.shared.connections -= 1
        if courier in self._idle:
            self._idle.remove(courier)
        if closing is not None:
            trouble = Trouble(closing.text, closing.code, closing.enhanced, courier.connection.host)
            if self._breaker.note(trouble, self._loop.time()):
                self._refuse_queue(trouble)
        self._loop.call_soon(self._attend)

    def heard(self, verdict: Verdict, reply: Reply) -> None:
        if verdict is Verdict.DELIVERED:
            self._breaker.reset()

    def failed(self, error: Exception) -> None:
        self.shared.on_failure(error)

    # Inside

    def _attend(self) -> None:
        """Set idle couriers to work, and open connections while there is more."""
        trouble = self.trouble()
        if trouble is not None:
            self._refuse_queue(trouble)
            return
        for courier in list(reversed(self._idle)):
            if self._has_next and not self.shared.is_stopped and courier in self._idle:
                self._idle.remove(courier)
                courier.go_on()
        if self.shared.is_stopped or (self._couriers and self._loop.time() < self._crowded_until):
            return
        # One connection goes ahead of the others: a dead server is asked once.
        allowed = self._room() - len(self._couriers) if self._couriers else min(1, self._room())
        while len(self._opening) < min(allowed, self.waiting):
            task = self._loop.create_task(self._open())
            self._opening.add(task)
            self.shared.connections += 1
            task.add_done_callback(self._opened)

    @property
    def _has_next(self) -> bool:
        return bool(self._queue)

    def _room(self) -> int:
        """Answer how many connections may be open."""
        return self._limit

    def _opened(self, task: asyncio.Task[None]) -> None:
        self._opening.discard(task)
        self.shared.connections -= 1

    async def _open(self) -> None:
        try:
            connection = await self._connect()
        except Unreachable as error:
            self._not_opened(error.trouble)
            return
        if self.shared.is_stopped:
            connection.drop(STOPPED)
            return
        courier = Courier(self, connection)
        self._couriers.add(courier)
        self.shared.connections += 1
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
                    host=trouble.host,
                    tls="",
                    code=trouble.code,
                    enhanced=trouble.enhanced,
                )
            )

    def _hand_back(self, attempt: Attempt, why: str) -> None:
        """It was not begun, and is no attempt."""
        attempt.batch.report(attempt.outcome(Verdict.WITHHELD, why, host="", tls=""))

    def _tidy(self) -> None:
        self.tidy()
        if self.waiting:
            self._attend()
        self._loop.call_later(_TIDY_EVERY, self._tidy)

    def _idle_for(self) -> float:
        return self.shared.idle

    def tidy(self, *, at_once: bool = False) -> None:
        """Close connections that had nothing to do for long; `at_once`: every idle one."""
        now = self._loop.time()
        for courier in list(self._idle):
            if at_once or now - courier.idle_since > self._idle_for():
                self._idle.remove(courier)
                courier.quit()
