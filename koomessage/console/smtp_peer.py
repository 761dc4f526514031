"""An SMTP server that does what a script tells it, with real sockets: for tests, and by hand (`smtp_peer`).

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
LARGEST = 64 * 1024 * 1024
HEAD = 10  # octets of a body that are read before a script is asked


@dataclass(frozen=True)
class Say:
    """Answer this instead of what would be answered."""

    line: str


@dataclass(frozen=True)
class Cut:
    """Close the connection without an answer; with `after`, when so many octets of it are out.

    In a body: when so many octets of it have come.
    """

    after: int = 0


@dataclass(frozen=True)
class KeepAndCut:
    """Accept the message, then close the connection before the answer, or `after` so many octets of it."""

    after: int = 0


@dataclass(frozen=True)
class Wait:
    """Answer as usual, later."""

    seconds: float


@dataclass(frozen=True)
class Drip:
    """Answer as usual, octet by octet, over so many seconds."""

    seconds: float


Action = Say | Cut | KeepAndCut | Wait | Drip | None
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
        host: str = "127.0.0.1",
        port: int = 0,
        keeps_mails: bool = True,
    ) -> None:
        self.log = log
        self.script = script or (lambda session, stage, argument: None)
        self.features = features
        self.tls = tls
        self.implicit_tls = implicit_tls
        self.host = host
        self.port = port
        self.keeps_mails = keeps_mails
        self.commands: list[str] = []
        self.mails: list[bytes] = []
        self.senders: list[str] = []
        self.connections = 0
        self.dots = 0
        self.kept = 0
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
            limit=LARGEST,
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
                await self._command(session, reader, writer, line.decode("utf-8", "replace").rstrip("\r\n"))
        except (_Gone, OSError, ValueError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        except asyncio.LimitOverrunError:
            pass  # a body larger than anything a mail may be
        finally:
            writer.transport.abort()

    async def _command(
        self, session: Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: str
    ) -> None:
        if self.keeps_mails:
            self.commands.append(line)
        verb = line.split(" ", maxsplit=1)[0].split(":", maxsplit=1)[0].upper()
        if verb in ("EHLO", "HELO"):
            offered = [*self.features, *(["STARTTLS"] if self.tls and not session.is_tls else [])]
            rows = ["peer", *(offered if verb == "EHLO" else [])]
            answer = "\r\n".join(f"250{'-' if row is not rows[-1] else ' '}{row}" for row in rows)
            await self._answer(session, "ehlo", line, answer)
        elif verb == "STARTTLS":
            if self.tls is None or session.is_tls:
                await self._answer(session, "starttls", line, "502 5.5.1 not here")
            elif await self._answer(session, "starttls", line, "220 go on"):
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
        first = await reader.readexactly(HEAD)
        action = self.script(session, "body", session.recipient)
        if isinstance(action, Cut):
            await reader.readexactly(max(0, action.after - HEAD))
            raise _Gone
        if isinstance(action, Say):
            writer.write(action.line.encode() + b"\r\n")
            await writer.drain()
        mail = first + await reader.readuntil(b"\r\n.\r\n")
        self.dots += 1
        await self._end(session, mail[:-3].replace(b"\r\n..", b"\r\n."))

    async def _end(self, session: Session, mail: bytes) -> None:
        """Answer the final dot: what is answered with a good word, wholly or in part, is written down first."""
        action = self.script(session, "dot", session.recipient)
        if isinstance(action, Wait):
            await asyncio.sleep(action.seconds)
        is_refused = isinstance(action, Say) and not action.line.startswith("2")
        if not is_refused and action != Cut():
            self._keep(session, mail)
        line = action.line if isinstance(action, Say) else "250 2.0.0 Ok: kept"
        await self._write(session, line, action)

    def _keep(self, session: Session, mail: bytes) -> None:
        found = MESSAGE_ID.search(mail)
        with self.log.open("a") as file:
            file.write(f"{found[1].decode() if found else ''}\t{session.recipient}\n")
        session.mails += 1
        self.kept += 1
        if self.keeps_mails:
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
        line = action.line if isinstance(action, Say) else usual
        await self._write(session, line, action)
        return line.startswith(good)

    async def _write(self, session: Session, line: str, action: Action) -> None:
        octets = line.encode() + b"\r\n"
        if isinstance(action, Drip):
            for octet in octets:
                await asyncio.sleep(action.seconds / len(octets))
                session.writer.write(bytes([octet]))
                await session.writer.drain()
            return
        if isinstance(action, Cut | KeepAndCut):
            octets = octets[: action.after]
        session.writer.write(octets)
        await session.writer.drain()
        if isinstance(action, Cut | KeepAndCut):
            if action.after:
                session.writer.close()  # what was written still goes out
                await session.writer.wait_closed()
            raise _Gone
