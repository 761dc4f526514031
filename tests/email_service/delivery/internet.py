"""A small Internet on loopback: a DNS zone, mail servers on addresses of their own, an engine that sends directly."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from email_service.delivery.engine import Engine, Journal, Limits, Timeouts
from email_service.delivery.routing import Direct
from tests.dns_server import Zone, serving
from tests.email_service.delivery.peer import Peer, Script

LOOPBACK = ("127.0.0.0/8",)


class Internet:
    """Every mail server listens on the same port, as on the real one; each has its address."""

    def __init__(self, folder: Path, zone: Zone, stack: ExitStack) -> None:
        self.folder = folder
        self.zone = zone
        self.port = _free_port()
        self._stack = stack

    def server(self, name: str, address: str, script: Script | None = None, **overrides: Any) -> Peer:
        """Start a mail server, and publish its address."""
        self.zone.add(name, "AAAA" if ":" in address else "A", address)
        log = self.folder / f"{name}.log"
        return self._stack.enter_context(Peer(log, script, host=address, port=self.port, **overrides))

    def domain(self, name: str, *exchangers: str | tuple[int, str]) -> None:
        """Publish the domain's MX records, in the order of their preference unless it is told."""
        told = [
            host if isinstance(host, tuple) else (10 * (place + 1), host)
            for place, host in enumerate(exchangers)
        ]
        self.zone.add(name, "MX", *told)

    @contextmanager
    def engine(self, *, timeouts: Timeouts | None = None, **overrides: Any) -> Iterator[Engine]:
        """An engine that is closed in the end; overrides go to the transport or the limits."""
        journal = Journal.open(self.folder / "journal", "worker")
        fields = {
            name: overrides.pop(name) for name in list(overrides) if name in Direct.__dataclass_fields__
        }
        fields = {"allowed_networks": LOOPBACK, "connections": 3, "dns_timeout": 1.0, **fields}
        direct = Direct(nameservers=(("127.0.0.1", self.zone.port),), port=self.port, **fields)
        limits = Limits(report_every=0.1, grace=5.0, timeouts=timeouts or Timeouts(quit=0.2))
        engine = Engine(journal, direct, replace(limits, **overrides), hostname="sender.example.com")
        try:
            yield engine
        finally:
            engine.close(grace=1.0)
            journal.close()


@contextmanager
def internet_in(folder: Path) -> Iterator[Internet]:
    with serving() as zone, ExitStack() as stack:
        yield Internet(folder, zone, stack)


def _free_port() -> int:
    """Find a port that is free on every address of loopback."""
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", 0))
        return listener.getsockname()[1]
