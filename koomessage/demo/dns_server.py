"""The demo's DNS server: UDP and TCP on loopback, authoritative for whatever the zone file holds.

Runs by itself: python -m koomessage.demo.dns_server --zone var/demo/zone.json --port 5354
"""

import argparse
import signal
import threading
from pathlib import Path
from typing import Any

from dnslib import AAAA, CNAME, MX, NS, QTYPE, RCODE, RR, SOA, TXT, A, DNSRecord
from dnslib.server import BaseResolver, DNSLogger, DNSServer

from koomessage.demo.zone import ZoneRecord, load

TTL = 1  # nothing may be remembered: records change while somebody watches
LONGEST_CHAIN = 8


class ZoneResolver(BaseResolver):
    """Answers from the zone file, read anew when it has changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[int, int] | None = None
        self._names: dict[str, list[ZoneRecord]] = {}
        self._lock = threading.Lock()

    def resolve(self, request: DNSRecord, handler: Any) -> DNSRecord:
        reply = request.reply()
        names = self._fresh_names()
        name = str(request.q.qname).rstrip(".").lower()
        wanted = QTYPE[request.q.qtype]
        for _ in range(LONGEST_CHAIN):
            rows = _rows_of(names, name)
            found = [row for row in rows if wanted in (row.kind, "ANY")]
            alias = next((row for row in rows if row.kind == "CNAME"), None)
            for row in found:
                reply.add_answer(_answer(name, row))
            if found or alias is None:
                break
            reply.add_answer(_answer(name, alias))
            name = alias.value.rstrip(".").lower()
        if not reply.rr:
            exists = bool(_rows_of(names, name)) or any(known.endswith(f".{name}") for known in names)
            reply.header.rcode = RCODE.NOERROR if exists else RCODE.NXDOMAIN
            reply.add_auth(_authority(name))
        return reply

    def _fresh_names(self) -> dict[str, list[ZoneRecord]]:
        with self._lock:
            try:
                state = self.path.stat()
                stamp = (state.st_mtime_ns, state.st_ino)
            except FileNotFoundError:
                return {}
            if stamp != self._stamp:
                names: dict[str, list[ZoneRecord]] = {}
                for row in load(self.path):
                    names.setdefault(row.name, []).append(row)
                self._names, self._stamp = names, stamp
            return self._names


def _rows_of(names: dict[str, list[ZoneRecord]], name: str) -> list[ZoneRecord]:
    """Return the rows of the name, else those of the nearest `*` above it."""
    if name in names:
        return names[name]
    labels = name.split(".")
    for start in range(1, len(labels)):
        rows = names.get(".".join(["*", *labels[start:]]))
        if rows:
            return rows
    return []


def _answer(name: str, row: ZoneRecord) -> RR:
    if row.kind == "TXT":
        raw = row.value.encode()
        body: Any = TXT([raw[start : start + 255] for start in range(0, len(raw), 255)] or [b""])
    elif row.kind == "MX":
        first, _, host = row.value.rpartition(" ")
        body = MX(host.rstrip("."), int(first) if first.isdigit() else 10)
    else:
        body = {"A": A, "AAAA": AAAA, "CNAME": CNAME, "NS": NS}[row.kind](row.value.rstrip("."))
    return RR(name, getattr(QTYPE, row.kind), rdata=body, ttl=TTL)


def _authority(name: str) -> RR:
    zone = ".".join(name.split(".")[-2:]) or "."
    return RR(
        zone,
        QTYPE.SOA,
        rdata=SOA("ns.koomessage.demo", "host.koomessage.demo", (1, 60, 60, 60, TTL)),
        ttl=TTL,
    )


def start(path: Path, host: str, port: int) -> list[DNSServer]:
    """Answer on UDP and TCP in threads of their own; the caller stops them with .stop()."""
    resolver = ZoneResolver(path)
    quiet = DNSLogger("error", False)
    servers = [DNSServer(resolver, address=host, port=port, tcp=tcp, logger=quiet) for tcp in (False, True)]
    for server in servers:
        # A quick look whether it should stop: the demo's Ctrl-C waits for it.
        threading.Thread(target=server.server.serve_forever, args=(0.05,), daemon=True).start()
    return servers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zone", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    servers = start(options.zone, options.host, options.port)
    print(f"DNS answers on {options.host}:{options.port}", flush=True)
    ended.wait()
    for server in servers:
        server.stop()
        server.server.server_close()


if __name__ == "__main__":
    main()
