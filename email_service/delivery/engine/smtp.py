"""One connection to a server: lines out, replies in, in order, each awaited only so long."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast

from email_service.delivery.engine.wire import Features, Reply, Timeouts, make_reply, read_line

_CHUNK = 64 * 1024
_LONGEST_LINE = 8192
_MOST_LINES = 200

OnReply = Callable[[Reply], None]


class ConnectionDown(Exception):
    """The connection ended, or the server stopped making sense."""


class SmtpConnection(asyncio.Protocol):
    """Calls back for each expected reply, and once when the connection is lost."""

    def __init__(self, loop: asyncio.AbstractEventLoop, timeouts: Timeouts) -> None:
        self.loop = loop
        self.timeouts = timeouts
        self.features = Features()
        self.host = ""  # as outcomes name the server
        self.address = ""
        self.has_delivered = False
        self.is_dead_end = False  # it broke over a message, and has delivered none
        self.tls = ""
        self.is_down = False
        self.reason = ""
        self.on_lost: Callable[[str], None] = lambda reason: None
        self.on_unexpected: OnReply | None = None
        self.transport: asyncio.Transport
        self.greeting: asyncio.Future[Reply]
        self._expected: deque[tuple[OnReply, float]] = deque()
        self._buffer = b""
        self._lines: list[str] = []
        self._held = False
        self._deadline: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._paused = False
        self._unsent = memoryview(b"")
        self._then: Callable[[], None] | None = None

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.adopt(cast(asyncio.Transport, transport))
        # Expected from now on: it may be here before whoever asked for the connection is told of it.
        self.greeting = self.ask("", self.timeouts.greeting)

    def adopt(self, transport: asyncio.Transport) -> None:
        """Go on over this transport: the first one, or the one TLS put around it."""
        self.transport = transport
        # Resumed only when all is handed over: what follows a body waits for the body.
        transport.set_write_buffer_limits(high=_CHUNK, low=0)

    def data_received(self, data: bytes) -> None:
        if self._held or self.is_down:
            return
        rows = (self._buffer + data if self._buffer else data).split(b"\n")
        self._buffer = rows.pop()
        if len(self._buffer) > _LONGEST_LINE:
            self.drop("The server sent an endless line.")
            return
        for row in rows:
            if self._held or self.is_down:
                return
            self._line_received(row)

    def connection_lost(self, exc: Exception | None) -> None:
        self._down(
            self.reason
            or (f"The connection was lost: {exc}." if exc else "The server closed the connection.")
        )

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        if self._then is not None:
            # Not at once: asyncio's transport may not be aborted while it is calling us from here.
            self.loop.call_soon(self._send_more)

    # What the engine calls

    @property
    def is_ending(self) -> bool:
        """Whether it is lost already, even if `on_lost` is yet to be called."""
        return self.is_down or self.transport.is_closing()

    def write(self, octets: bytes) -> None:
        if not self.is_down:
            self.transport.write(octets)

    def expect(self, on_reply: OnReply, timeout: float) -> None:
        """Call back with the reply that follows those expected already."""
        self._expected.append((on_reply, timeout))
        if len(self._expected) == 1:
            self._wait(timeout)

    async def command(self, line: str, timeout: float, *, last: bool = False) -> Reply:
        """Send a line and await its reply. After `last` nothing more is read from this transport."""
        return await self.ask(line, timeout, last=last)

    def ask(self, line: str, timeout: float, *, last: bool = False) -> asyncio.Future[Reply]:
        """Send a line, and answer what will hold its reply; ConnectionDown where none comes."""
        answered: asyncio.Future[Reply] = self.loop.create_future()
        # Nobody may be there any more to hear that none came.
        answered.add_done_callback(lambda done: done.cancelled() or done.exception())

        def on_reply(reply: Reply) -> None:
            if last:
                self.hold()
            if not answered.done():
                answered.set_result(reply)

        def on_lost(reason: str) -> None:
            if not answered.done():
                answered.set_exception(ConnectionDown(reason))

        if self.is_down:
            raise ConnectionDown(self.reason)
        self.on_lost = on_lost
        self.expect(on_reply, timeout)
        if line:
            self.write(line.encode("utf-8") + b"\r\n")
        return answered

    def hold(self) -> None:
        """Read nothing more and forget what came along: it must not be taken for a later answer."""
        self._held = True
        self._buffer = b""
        self.transport.pause_reading()

    def release(self) -> None:
        self._held = False
        self._buffer = b""

    def send_body(self, octets: bytes, then: Callable[[], None]) -> None:
        """Hand the octets over piece by piece, and call `then` when the system has taken them all."""
        self._unsent = memoryview(octets)
        self._then = then
        self._send_more()

    def drop(self, reason: str) -> None:
        """End the connection at once, unsent octets with it."""
        if not self.is_down:
            self.reason = reason
            self.transport.abort()
            self._down(reason)

    # Inside

    def _send_more(self) -> None:
        while self._unsent and not self._paused and not self.is_ending:
            self.transport.write(bytes(self._unsent[:_CHUNK]))
            self._unsent = self._unsent[_CHUNK:]
        if self.is_ending or self._then is None:
            return
        self._wait(self.timeouts.block)
        if not self._unsent and not self._paused:
            then, self._then = self._then, None
            then()

    def _line_received(self, row: bytes) -> None:
        found = read_line(row)
        if found is None:
            self.drop(f"The server does not speak SMTP: {row[:80]!r}.")
            return
        code, is_last, text = found
        if is_last and not self._lines:
            self._reply_received(make_reply(code, (text,)))
            return
        self._lines.append(text)
        if is_last:
            lines, self._lines = self._lines, []
            self._reply_received(make_reply(code, tuple(lines)))
        elif len(self._lines) > _MOST_LINES:
            self.drop("The server sent an endless reply.")

    def _reply_received(self, reply: Reply) -> None:
        if not self._expected:
            if self.on_unexpected is not None:
                self.on_unexpected(reply)
            self.drop(f"The server said what nobody asked: {reply.code} {reply.text}"[:200])
            return
        on_reply, _ = self._expected.popleft()
        if self._expected:
            self._wait(self._expected[0][1])
        else:
            self._deadline = None
        on_reply(reply)

    def _wait(self, timeout: float) -> None:
        self._deadline = self.loop.time() + timeout
        if self._timer is None or self._timer.when() > self._deadline:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self.loop.call_at(self._deadline, self._look_at_clock)

    def _look_at_clock(self) -> None:
        self._timer = None
        if self.is_down or self._deadline is None:
            return
        if self.loop.time() >= self._deadline:
            self.drop("The server took too long to answer.")
        else:
            self._timer = self.loop.call_at(self._deadline, self._look_at_clock)

    def _down(self, reason: str) -> None:
        if self.is_down:
            return
        self.is_down = True
        self.reason = reason
        self._then = None
        self._expected.clear()
        if self._timer is not None:
            self._timer.cancel()
        self.on_lost(reason)
