"""The connections to a relay, with the next mails signed beforehand in threads of their own.

A signature is most of what a mail costs, and OpenSSL makes it without the interpreter's lock: meanwhile the loop sends.
"""

from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor

from email_service.delivery.engine.attempts import STOPPED, Attempt
from email_service.delivery.engine.breaker import Trouble
from email_service.delivery.engine.pool import Pool
from email_service.delivery.engine.shared import Shared
from email_service.delivery.engine.smtp import SmtpConnection

_AHEAD = 2  # signed mails for each connection
_THREADS = 2
_MOST_OCTETS = 16 * 1024 * 1024


class RelayPool(Pool):
    def __init__(
        self, shared: Shared, connect: Callable[[], Awaitable[SmtpConnection]], *, connections: int
    ) -> None:
        super().__init__(shared, connect, connections=connections)
        self._ahead = _AHEAD * connections
        self._signed: deque[Attempt] = deque()
        self._signing = 0
        self._signer = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="signing")

    @property
    def waiting(self) -> int:
        return super().waiting + len(self._signed) + self._signing

    def put(self, attempts: list[Attempt]) -> None:
        self._queue.extend(attempts)
        self._sign_ahead()
        self._attend()

    def take(self) -> Attempt | None:
        if self._signed and not self.shared.is_stopped:
            attempt = self._signed.popleft()
        elif self._signing:
            return None  # it comes in a moment, and wakes an idle courier
        else:
            return super().take()
        self._sign_ahead()
        return attempt

    def withdraw(self) -> None:
        while self._signed:
            self._hand_back(self._signed.popleft(), STOPPED)
        super().withdraw()

    async def quit(self) -> None:
        await super().quit()
        self._signer.shutdown()

    @property
    def _has_next(self) -> bool:
        return bool(self._signed) or (super()._has_next and not self._signing)

    def _refuse_queue(self, trouble: Trouble) -> None:
        self._queue.extendleft(reversed(self._signed))
        self._signed.clear()
        super()._refuse_queue(trouble)

    def _sign_ahead(self) -> None:
        while self._queue and len(self._signed) + self._signing < self._ahead and not self.shared.is_stopped:
            if self._queue[0].envelope.sign is None or sum(row.size for row in self._signed) > _MOST_OCTETS:
                return
            attempt = self._queue.popleft()
            if not attempt.render():
                self._signed.append(attempt)  # its turn will tell what is wrong with it
                continue
            self._signing += 1
            self._signer.submit(attempt.sign).add_done_callback(self._tell(attempt))

    def _tell(self, attempt: Attempt) -> Callable[["Future[None]"], None]:
        def tell(done: "Future[None]") -> None:
            self._loop.call_soon_threadsafe(self._is_signed, attempt)

        return tell

    def _is_signed(self, attempt: Attempt) -> None:
        self._signing -= 1
        if self.shared.is_stopped:
            self._hand_back(attempt, STOPPED)
            return
        self._signed.append(attempt)
        self._sign_ahead()
        self._attend()
