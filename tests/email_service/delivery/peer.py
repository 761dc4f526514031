"""An SMTP server that does what a test tells it, on loopback, with real sockets.

What it accepts it writes to a file before it answers: the file alone says what was received.
"""

import asyncio
import re
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

MESSAGE_ID = re.compile(rb"^Message-ID: *(\S+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Say:
    """Answer this instead of what would be answered."""

    line: str


@dataclass(frozen=True)
class Cut:
    """Close the connection without an answer."""


@dataclass(frozen=True)
class KeepAndCut:
    """Accept the message, then close the connection before the answer."""


@dataclass(frozen=True)
class Wait:
    """Answer as usual, later."""

    seconds: float


Action = Say | Cut | KeepAndCut | Wait | None
Script = Callable[["Session", str, str], Action]


class Session:
    def __init__(self, number: int, writer: asyncio.StreamWriter) -> None:
        self.number = number
        self.writer = writer
        self.mails = 0
        self.sender = ""
        self.recipient = ""
        self.is_tls = False


class _Gone(Exception):
    pass


class Peer:
    """Stages a script is asked at: banner, ehlo, starttls, auth, mail, rcpt, data, body, dot, quit."""

    def __init__(
        self,
        log: Path,
        script: Script | None = None,
        *,
        features: tuple[str, ...] = ("PIPELINING", "SMTPUTF8", "8BITMIME"),
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        port: int = 0,
        host: str = "127.0.0.1",
    ) -> None:
        self.log = log
        self.script = script or (lambda session, stage, argument: None)
        self.features = features
        self.tls = tls
        self.implicit_tls = implicit_tls
        self.port = port
        self.host = host
        self.commands: list[str] = []
        self.mails: list[bytes] = []
        self.senders: list[str] = []
        self.connections = 0
        self.dots = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def received(self) -> list[tuple[str, str]]:
        """Message-ID and recipient of each mail that was accepted."""
        if not self.log.exists():
            return []
        return [(row.split("\t")[0], row.split("\t")[1]) for row in self.log.read_text().splitlines()]

    @property
    def recipients(self) -> list[str]:
        return sorted(recipient for _, recipient in self.received)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(5)
        return self

    def __exit__(self, *exc: object) -> None:
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._serve,
            self.host,
            self.port,
            limit=64 * 1024 * 1024,
            ssl=self.tls if self.implicit_tls else None,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _shut(self) -> None:
        self._server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        session = Session(self.connections, writer)
        session.is_tls = self.implicit_tls
        try:
            await self._answer(session, "banner", "", "220 peer ESMTP")
            while line := await reader.readline():
                await self._command(session, reader, writer, line.decode().rstrip("\r\n"))
        except (_Gone, ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    async def _command(
        self, session: Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: str
    ) -> None:
        self.commands.append(line)
        verb = line.split(" ", maxsplit=1)[0].split(":", maxsplit=1)[0].upper()
        if verb in ("EHLO", "HELO"):
            offered = [*self.features, *(["STARTTLS"] if self.tls and not session.is_tls else [])]
            rows = ["peer", *offered]
            answer = "\r\n".join(f"250{'-' if row is not rows[-1] else ' '}{row}" for row in rows)
            await self._answer(session, "ehlo", line, answer)
        elif verb == "STARTTLS":
            await self._answer(session, "starttls", line, "220 go on")
            await writer.start_tls(self.tls)
            session.is_tls = True
        elif verb == "AUTH":
            await self._answer(session, "auth", line, "235 2.7.0 welcome")
        elif verb == "MAIL":
            session.sender, session.recipient = line[11:].split(">", maxsplit=1)[0], ""
            await self._answer(session, "mail", line, "250 2.1.0 ok")
        elif verb == "RCPT":
            if await self._answer(session, "rcpt", line, "250 2.1.5 ok"):
                session.recipient = line[9:].rstrip(">")
        elif verb == "DATA":
            await self._data(session, reader, writer, line)
        elif verb == "QUIT":
            await self._answer(session, "quit", line, "221 2.0.0 bye")
            raise _Gone
        else:
            await self._answer(session, "other", line, "250 2.0.0 ok")

    async def _data(
        self, session: Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: str
    ) -> None:
        if not session.recipient:
            await self._answer(session, "late-data", line, "554 5.5.1 No valid recipients")
            return
        if not await self._answer(session, "data", line, "354 go on", good="354"):
            return
        first = await reader.readexactly(10)
        action = self.script(session, "body", session.recipient)
        if isinstance(action, Cut):
            raise _Gone
        if isinstance(action, Say):
            writer.write(action.line.encode() + b"\r\n")
            await writer.drain()
        mail = first + await reader.readuntil(b"\r\n.\r\n")
        self.dots += 1
        mail = mail[:-3].replace(b"\r\n..", b"\r\n.")
        action = self.script(session, "dot", session.recipient)
        if isinstance(action, Wait):
            await asyncio.sleep(action.seconds)
            action = None
        if isinstance(action, Cut):
            raise _Gone
        if isinstance(action, Say) and not action.line.startswith("2"):
            writer.write(action.line.encode() + b"\r\n")
            await writer.drain()
            return
        self._keep(session, mail)
        if isinstance(action, KeepAndCut):
            raise _Gone
        writer.write(b"250 2.0.0 Ok: kept\r\n" if action is None else action.line.encode() + b"\r\n")
        await writer.drain()

    def _keep(self, session: Session, mail: bytes) -> None:
        found = MESSAGE_ID.search(mail)
        with self.log.open("a") as file:
            file.write(f"{found[1].decode() if found else ''}\t{session.recipient}\n")
        session.mails += 1
        self.mails.append(mail)
        self.senders.append(session.sender)

    async def _answer(
        self,
        session: Session,
        stage: str,
        argument: str,
        usual: str,
        good: str = "2",
    ) -> bool:
        action = self.script(session, stage, argument)
        if isinstance(action, Wait):
            await asyncio.sleep(action.seconds)
        if isinstance(action, Cut | KeepAndCut):
            raise _Gone
        line = action.line if isinstance(action, Say) else usual
        session.writer.write(line.encode() + b"\r\n")
        await session.writer.drain()
        return line.startswith(good)
