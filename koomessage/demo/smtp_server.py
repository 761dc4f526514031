"""The demo's mail server: takes every mail, and writes it down before it says 250.

Runs by itself: python -m koomessage.demo.smtp_server --inbox var/demo/inbox --port 2525
"""

import argparse
import asyncio
import re
import signal
import time
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from koomessage.demo.inbox import InboxWriter

LARGEST = 64 * 2**20
GREYLISTED_SECONDS = 60.0
SPECIAL = re.compile(r"^(bounce-550|defer-451|policy-571)([+.-][^@]*)?@", re.IGNORECASE)
REPLIES = {
    "bounce-550": "550 5.1.1 No such mailbox here",
    "policy-571": "571 5.7.1 Refused by the policy of this domain",
    "defer-451": "451 4.7.1 Greylisted, come back in a minute",
}
# Takes the first mail and hangs up before it says so: nobody can know whether it came.
LOST = re.compile(r"^lost-reply([+.-][^@]*)?@", re.IGNORECASE)


class Receiver:
    """What aiosmtpd asks at each command."""

    def __init__(self, writer: InboxWriter) -> None:
        self.writer = writer
        self._first_seen: dict[str, float] = {}

    async def handle_EHLO(  # noqa: N802  aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", "250-ENHANCEDSTATUSCODES", responses[-1]]

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        special = SPECIAL.match(address)
        if special and not self._is_forgiven(special[1].lower(), address):
            return REPLIES[special[1].lower()]
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.original_content or b""
        peer = session.peer[0] if session.peer else ""
        try:
            self.writer.put(
                bytes(content),
                sender=envelope.mail_from or "",
                recipients=list(envelope.rcpt_tos),
                client=str(peer),
                is_utf8=bool(envelope.smtp_utf8),
            )
        except OSError as error:
            return f"451 4.3.1 The mail could not be written down: {error.strerror}"
        for address in envelope.rcpt_tos:
            if LOST.match(address) and self._first_seen.setdefault(address.lower(), 0.0) == 0.0:
                self._first_seen[address.lower()] = time.monotonic()
                if isinstance(server.transport, asyncio.WriteTransport):
                    server.transport.abort()
        return "250 2.0.0 Kept"

    def _is_forgiven(self, kind: str, address: str) -> bool:
        """Greylisting ends for who comes back late enough; the other refusals never end."""
        if kind != "defer-451":
            return False
        first = self._first_seen.setdefault(address.lower(), time.monotonic())
        return time.monotonic() - first >= GREYLISTED_SECONDS


def make_server(writer: InboxWriter, loop: asyncio.AbstractEventLoop) -> Any:
    """Return the protocol factory that asyncio's create_server wants."""
    receiver = Receiver(writer)
    return lambda: SMTP(
        receiver,
        data_size_limit=LARGEST,
        enable_SMTPUTF8=True,
        hostname="mx.koomessage.demo",
        ident="KooMessage demo inbox",
        loop=loop,
    )


async def serve(folder: Path, host: str, port: int, ended: asyncio.Event) -> None:
    """Take mail until `ended` is set."""
    loop = asyncio.get_running_loop()
    writer = InboxWriter(folder)
    server = await loop.create_server(make_server(writer, loop), host, port, backlog=512)
    print(f"SMTP answers on {host}:{port}", flush=True)
    await ended.wait()
    server.close()
    writer.close()


async def run(options: argparse.Namespace) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    await serve(options.inbox, options.host, options.port, ended)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inbox", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
