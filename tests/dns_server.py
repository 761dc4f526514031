"""A real DNS server on loopback whose zone a test writes: records, refusals, silence."""

import errno
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from dnslib import AAAA, CNAME, MX, NS, PTR, QTYPE, RCODE, RD, RR, TXT, A, DNSRecord

KINDS: dict[str, type[RD]] = {
    "A": A,
    "AAAA": AAAA,
    "CNAME": CNAME,
    "MX": MX,
    "NS": NS,
    "PTR": PTR,
    "TXT": TXT,
}


class Zone:
    """What the server answers; `asked` is what it was asked."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[RD]] = {}
        self.refusals: dict[tuple[str, str], str] = {}
        self.asked: list[tuple[str, str]] = []
        self.port = 0

    def add(self, name: str, kind: str, *values: Any) -> Self:
        """Publish a record; a TXT given as a list is published as its several strings, an MX as (10, name)."""
        made = [
            MX(value[1], value[0]) if isinstance(value, tuple) else KINDS[kind](value) for value in values
        ]
        self.records.setdefault((name.lower(), kind), []).extend(made)
        return self

    def drop(self, name: str, kind: str) -> Self:
        self.records.pop((name.lower(), kind), None)
        return self

    def refuse(self, name: str, kind: str, how: str) -> Self:
        """Answer SERVFAIL or REFUSED, or nothing at all ("silence"), to one question."""
        self.refusals[name.lower(), kind] = how
        return self

    def publish(self, domain: Any) -> Self:
        """Publish every record that the domain expects."""
        for record in domain.records.all():
            value = [record.expected[at : at + 200] for at in range(0, len(record.expected), 200)]
            self.add(record.name, record.kind, value if record.kind == "TXT" else record.expected)
        return self

    def answer(self, data: bytes) -> bytes | None:
        question = DNSRecord.parse(data)
        name, kind = str(question.q.qname).rstrip(".").lower(), QTYPE[question.q.qtype]
        self.asked.append((name, kind))
        how = self.refusals.get((name, kind))
        if how == "silence":
            return None
        reply = question.reply()
        if how:
            reply.header.rcode = getattr(RCODE, how)
            return bytes(reply.pack())
        for _hop in range(5):
            found = self.records.get((name, kind), []) or self.records.get((name, "CNAME"), [])
            for item in found:
                reply.add_answer(RR(name, QTYPE.reverse[type(item).__name__], rdata=item, ttl=1))
            if not found or not isinstance(found[0], CNAME) or kind == "CNAME":
                break
            name = str(found[0].label).rstrip(".").lower()
        if not reply.rr and not any(known == name for known, _kind in self.records):
            reply.header.rcode = RCODE.NXDOMAIN
        return bytes(reply.pack())


class _Datagrams(socketserver.ThreadingUDPServer):
    # Reuse would let two servers share a port, and each get half of the questions.
    allow_reuse_address = False
    daemon_threads = True
    max_packet_size = 65535


class _Streams(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def serving() -> Iterator[Zone]:
    """Serve an empty zone on a free UDP port of 127.0.0.1, and TCP on the same port."""
    zone = Zone()

    class Datagram(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, sock = self.request
            reply = zone.answer(data)
            if reply is None:
                return
            if len(reply) > 1232:
                truncated = DNSRecord.parse(data).reply()
                truncated.header.tc = 1
                reply = bytes(truncated.pack())
            sock.sendto(reply, self.client_address)

    class Stream(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            size = int.from_bytes(self.request.recv(2), "big")
            reply = zone.answer(self.request.recv(size))
            if reply is not None:
                self.request.sendall(len(reply).to_bytes(2, "big") + reply)

    udp, tcp = _listen(Datagram, Stream)
    with udp, tcp:
        zone.port = udp.server_address[1]
        for server in (udp, tcp):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield zone
        finally:
            for server in (udp, tcp):
                server.shutdown()


def _listen(
    datagram: type[socketserver.BaseRequestHandler], stream: type[socketserver.BaseRequestHandler]
) -> tuple[_Datagrams, _Streams]:
    """Find a port that is free for both: what is free for UDP may be taken for TCP."""
    for _attempt in range(100):
        udp = _Datagrams(("127.0.0.1", 0), datagram)
        try:
            return udp, _Streams(udp.server_address, stream)
        except OSError as error:
            udp.server_close()
            if error.errno != errno.EADDRINUSE:
                raise
    raise OSError(errno.EADDRINUSE, "No port was free for both UDP and TCP.")
