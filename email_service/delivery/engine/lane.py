"""The way to one destination: its servers in turn, at the pace that it takes.

Domains with the same servers share a lane. Whatever a destination does, a message waits in its
lane only so long; then it is deferred or given back, and the rest of the batch goes on.
"""

import asyncio
from collections.abc import Sequence

from email_service.delivery.engine.attempts import Attempt
from email_service.delivery.engine.breaker import Breaker, Trouble
from email_service.delivery.engine.limits import Limits
from email_service.delivery.engine.lookup import Lookup, Unknown
from email_service.delivery.engine.office import Works
from email_service.delivery.engine.opening import Door, Unreachable, open_connection
from email_service.delivery.engine.pool import Pool
from email_service.delivery.engine.shared import Shared
from email_service.delivery.engine.smtp import SmtpConnection
from email_service.delivery.engine.tempo import Tempo
from email_service.delivery.engine.wire import Reply
from email_service.delivery.networks import Network, may_connect
from email_service.delivery.replies import Verdict
from email_service.delivery.routing import Route, in_order

_CLOSING = 421
_KEPT_WARM = 300.0
SLOW = "The servers of this domain take too long; the message waits for its next attempt."
HANDED_BACK = "The domain takes mail slowly; others have their turn first."


class Lane(Pool):
    def __init__(
        self,
        shared: Shared,
        route: Route,
        lookup: Lookup,
        *,
        port: int,
        connections: int,
        allowed: Sequence[Network],
        limits: Limits,
    ) -> None:
        super().__init__(shared, self._connect_to_any, connections=connections)
        self.route = route
        self.tempo = Tempo(connections)
        self.used_at = self._loop.time()
        self._lookup = lookup
        self._port = port
        self._allowed = allowed
        self._limits = limits
        self._doors: dict[str, Breaker] = {}
        self._heard_at = 0.0
        self._opening_took = 0.0
        self._is_stalled = False
        self._said = Trouble("")
        self._waker: asyncio.TimerHandle | None = None

    # For the lanes

    @property
    def is_at_rest(self) -> bool:
        return not (self._queue or self._couriers or self._opening)

    def put(self, attempts: list[Attempt]) -> None:
        self.used_at = self._loop.time()
        for attempt in attempts:
            attempt.queued_at = self.used_at
        super().put(attempts)

    def trouble(self) -> Trouble | None:
        now = self._loop.time()
        if self._is_stalled:
            return Trouble(SLOW)
        if self.tempo.paused_until - now > self._limits.patience:
            return self._said
        return super().trouble()

    def look(self) -> None:
        """Free what has waited too long; called again and again."""
        now, limits = self._loop.time(), self._limits
        self._is_stalled = self._is_stalled and bool(self._opening or len(self._couriers) > len(self._idle))
        if not self._queue:
            return
        trouble = self.trouble()
        if trouble is None:
            began = max(self._heard_at, self._queue[0].queued_at, self.tempo.paused_until)
            is_starved = not self._couriers and not self._opening  # by our own limit: no fault of theirs
            if now - began > limits.patience and not is_starved:
                self._is_stalled = True
                trouble = self.trouble()
        if trouble is not None:
            self._refuse_queue(trouble)
        while self._queue and now - self._queue[0].queued_at > limits.longest_wait:
            self._hand_back(self._queue.popleft(), HANDED_BACK)
        self._attend()

    # For couriers

    def take(self) -> Attempt | None:
        busy = len(self._couriers) - len(self._idle)
        if not self._queue or self.shared.is_stopped or busy > self.tempo.connections:
            return None
        if not self.tempo.take(self._loop.time()):
            self._wake_later()
            return None
        return super().take()

    def heard(self, verdict: Verdict, reply: Reply) -> None:
        super().heard(verdict, reply)
        self._lives()
        if verdict is Verdict.DELIVERED:
            self.tempo.succeeded(self._loop.time())
        elif verdict is Verdict.THROTTLED or reply.code == _CLOSING:
            self._slow_down(Trouble(reply.text, reply.code, reply.enhanced))

    def gone(self, courier: Works, *, closing: Reply | None) -> None:
        connection = courier.connection
        door = self._doors.setdefault(connection.address, Breaker())
        if closing is not None:
            self._slow_down(Trouble(closing.text, closing.code, closing.enhanced, connection.host))
        elif connection.is_dead_end:
            door.note(Trouble(connection.reason, host=connection.host), self._loop.time())
        elif connection.has_delivered:
            door.reset()
        super().gone(courier, closing=closing)

    # Inside

    def _lives(self) -> None:
        self._heard_at = self._loop.time()
        self._is_stalled = False

    def _slow_down(self, said: Trouble) -> None:
        self._said = said
        self.tempo.throttled(self._loop.time())
        self._wake_later()

    def _attend(self) -> None:
        if self._loop.time() < self.tempo.ready_at() and self.trouble() is None:
            self._wake_later()
        else:
            super()._attend()

    def _wake_later(self) -> None:
        if self._waker is not None:
            self._waker.cancel()
        self._waker = self._loop.call_at(self.tempo.ready_at() + 0.001, self._attend)

    def _room(self) -> int:
        free = max(0, self._limits.all_connections - self.shared.connections)
        return min(self.tempo.connections, len(self._couriers) + len(self._opening) + free)

    def _idle_for(self) -> float:
        """Keep longer what took long to get: the next attempt finds it open."""
        return max(self.shared.idle, min(self._opening_took * 4, _KEPT_WARM))

    def _not_opened(self, trouble: Trouble) -> None:
        if trouble.code == _CLOSING or trouble.verdict is Verdict.THROTTLED:
            self._slow_down(trouble)
        super()._not_opened(trouble)

    async def _connect_to_any(self) -> SmtpConnection:
        """Try the servers in turn; raises Unreachable with the last one's trouble when none takes mail."""
        began = self._loop.time()
        troubles: list[Trouble] = []
        for host in in_order(self.route.ranks):
            try:
                addresses, _ = await self._lookup.addresses(host)
            except Unknown as error:
                troubles.append(Trouble(str(error), host=host))
                continue
            for address in addresses:
                if not may_connect(address, self._allowed):
                    continue
                try:
                    connection = await self._connect_to(host, address)
                except Unreachable as error:
                    troubles.append(error.trouble)
                    continue
                self._opening_took = self._loop.time() - began
                self._lives()
                return connection
        raise Unreachable(troubles[-1] if troubles else self._nowhere())

    async def _connect_to(self, host: str, address: str) -> SmtpConnection:
        breaker = self._doors.setdefault(address, Breaker())
        trouble = breaker.trouble_at(self._loop.time())
        if trouble is not None:
            raise Unreachable(trouble)
        door = Door(
            name=host,
            address=address,
            port=self._port,
            host=f"{host} [{address}]",
            security="starttls" if self.route.must_verify else "opportunistic",
            verify=self.route.must_verify,
        )
        try:
            connection = await open_connection(door, self.shared.timeouts, self.shared.hostname)
        except Unreachable as error:
            breaker.trip(error.trouble, self._loop.time())
            raise
        connection.address = address
        return connection

    def _nowhere(self) -> Trouble:
        hosts = ", ".join(self.route.hosts[:3])
        text = f"No server of this domain has an address on the public Internet: {hosts}."
        return Trouble(text, enhanced="5.4.4", is_final=True)
