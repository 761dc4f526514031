"""The recipients' mail server, none of ours: aiosmtpd keeps each mail as it came, and its envelope."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass(frozen=True, slots=True)
class Arrived:
    """One mail as it came over the wire; `options` are those of MAIL."""

    helo: str
    sender: str
    recipient: str
    options: tuple[str, ...]
    content: bytes


class Inbound:
    """`arrived` holds every content that came, also of the `defers` first, which are put off with 451."""

    def __init__(self) -> None:
        self.arrived: list[Arrived] = []
        self.defers = 0
        self.port = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        (recipient,) = envelope.rcpt_tos
        content = envelope.original_content
        assert isinstance(content, bytes) and envelope.mail_from is not None
        options = tuple(envelope.mail_options)
        self.arrived.append(Arrived(session.host_name or "", envelope.mail_from, recipient, options, content))
        if self.defers:
            self.defers -= 1
            return "451 4.3.2 Please try again later"
        return "250 2.0.0 Ok"


@contextmanager
def serving(*, smtputf8: bool = True) -> Iterator[Inbound]:
    """Take mail on a free port of loopback."""
    inbound = Inbound()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        inbound.port = free.getsockname()[1]
    controller = Controller(inbound, "127.0.0.1", inbound.port, enable_SMTPUTF8=smtputf8)
    controller.start()
    try:
        yield inbound
    finally:
        controller.stop()
