"""Asking the DNS: which servers, for how long, and what came back. Safe in threads; no database."""

import ipaddress
import re
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver
from django.conf import settings

from email_service.domains import spf
from email_service.domains.names import registrable
from email_service.domains.records import LOOP, Found

MAX_CHAIN = 8  # names a CNAME may lead through
MAX_TRIES = 4
PAYLOAD = 1232
MAX_AUTHORITIES = 8
MAX_VALUES = 50
MAX_LENGTH = 4000  # a key of 4096 bits takes some 750 characters, an SPF record seldom 500
# Anybody may publish them; no database and no page shows them.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# Addresses that name an IPv4 host of their own in their last or their middle octets.
_TRANSLATED = tuple(
    ipaddress.IPv6Network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "::/96")
)
Servers = Sequence[tuple[str, int]]


class NoAnswerError(Exception):
    """No server gave a usable answer in time: nothing is known."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Whom to ask: the domain's own servers first, the resolvers for what lies elsewhere."""

    own: Servers
    resolvers: Servers
    timeout: float


def sources_for(domain: str, *, asks_owner: bool) -> Sources:
    """Find whom to ask about the domain.

    DNS_NAMESERVERS, when set, are asked for everything. Otherwise the system's resolvers are, and before
    them, where `asks_owner` says so, the domain's authoritative servers, which no cache makes out of date.
    """
    timeout = settings.DNS_TIMEOUT_SECONDS
    if settings.DNS_NAMESERVERS:
        return Sources((), configured_resolvers(), timeout)
    resolvers = system_resolvers()
    if not asks_owner:
        return Sources((), resolvers, timeout)
    try:
        own = authorities(domain, resolvers, time.monotonic() + timeout)
    except NoAnswerError:
        own = ()
    return Sources(own, resolvers, timeout)


def configured_resolvers() -> Servers:
    """Return the servers that DNS_NAMESERVERS names; none where the system's are to be asked."""
    return tuple((_address(host), port) for host, port in settings.DNS_NAMESERVERS)


def system_resolvers() -> Servers:
    try:
        system = dns.resolver.Resolver(configure=True)
    except dns.resolver.NoResolverConfiguration:
        return ()
    return tuple((str(server), 53) for server in system.nameservers)


def authorities(domain: str, resolvers: Servers, deadline: float) -> Servers:
    """Return the addresses of the name servers of the zone that holds the domain.

    Only addresses on the public Internet: a tenant's records must not point us at our own network.
    """
    zone = dns.name.from_text(domain)
    while len(zone) > 1:
        reply = ask(zone, "NS", resolvers, deadline)
        hosts = [item.target for item in _records(reply, zone, dns.rdatatype.NS)][:4]
        if hosts:
            found: list[tuple[str, int]] = []
            for host in hosts:
                for kind in ("A", "AAAA"):
                    answers = ask(host, kind, resolvers, deadline)
                    items = _records(answers, host, dns.rdatatype.from_text(kind))
                    addresses = (item.address for item in items)
                    found += [(address, 53) for address in addresses if _is_public(address)]
            return tuple(sorted(found, key=lambda server: ":" in server[0])[:MAX_AUTHORITIES])
        zone = zone.parent()
    return ()


def find(name: str, kind: str, sources: Sources, deadline: float, *, stop_at: str = "") -> Found:
    """Look a record up; `stop_at` is the CNAME target behind which nothing need be known."""
    try:
        asked = dns.name.from_text(name)
    except dns.exception.DNSException:
        return Found()  # a name too long to exist
    try:
        if kind == "CNAME":
            return _find_chain(asked, sources, deadline, stop_at)
        values, is_looping = _find_values(asked, kind, sources, deadline)
        return Found(values=(LOOP,) if is_looping else values)
    except NoAnswerError:
        return Found(is_silent=True)


def find_policy(name: str, sources: Sources, deadline: float, *, stop_at: str) -> Found:
    """Look up a CNAME, and the TXT records that stand at or behind it."""
    chain = find(name, "CNAME", sources, deadline, stop_at=stop_at)
    if stop_at.lower() in (value.lower() for value in chain.values):
        return chain
    texts = find(name, "TXT", sources, deadline)
    found = tuple(text for text in texts.values if text != LOOP)
    return Found(chain.values, found, chain.is_silent or texts.is_silent)


def find_cost(domain: str, text: str, sources: Sources, deadline: float, *, trusted: str) -> spf.Cost:
    """Follow the domain's SPF record and count what it costs, for as long as the deadline allows."""
    home = f".{registrable(domain)}"
    elsewhere = replace(sources, own=())
    counting = spf.count(domain, text, trusted=trusted)
    answer: tuple[str, ...] | None = None
    try:
        question = next(counting)
        while True:
            known = sources if f".{question.name}".endswith(home) else elsewhere
            # A third of what is left: one silent server leaves time for the other names.
            until = time.monotonic() + (deadline - time.monotonic()) / 3
            found = find(question.name, question.kind, known, until)
            answer = None if found.is_silent else tuple(text for text in found.values if text != LOOP)
            question = counting.send(answer)
    except StopIteration as end:
        cost: spf.Cost = end.value
        return cost


def _find_chain(name: dns.name.Name, sources: Sources, deadline: float, stop_at: str) -> Found:
    chain: list[str] = []
    seen = {name}
    while len(chain) < MAX_CHAIN:
        try:
            reply = _ask_best(name, "CNAME", sources, deadline, is_own=not chain)
        except NoAnswerError:
            if chain:
                break  # The first name is what the tenant publishes; what lies behind may be silent.
            raise
        targets = [item.target for item in _records(reply, name, dns.rdatatype.CNAME)]
        if not targets:
            break
        name = targets[0]
        chain.append(name.to_text(omit_final_dot=True))
        if chain[-1].lower() == stop_at.lower():
            break
        if name in seen or len(chain) == MAX_CHAIN:
            return Found((*chain, LOOP))
        seen.add(name)
    return Found(tuple(chain))


def _find_values(
    name: dns.name.Name, kind: str, sources: Sources, deadline: float
) -> tuple[tuple[str, ...], bool]:
    """Return the values under the name or behind its CNAMEs, and whether those lead in a circle."""
    rdtype = dns.rdatatype.from_text(kind)
    seen = {name}
    is_own = True
    while True:
        reply = _ask_best(name, kind, sources, deadline, is_own=is_own)
        moved = False
        while not (items := _records(reply, name, rdtype)):
            targets = [item.target for item in _records(reply, name, dns.rdatatype.CNAME)]
            if not targets:
                break
            name, moved = targets[0], True
            if name in seen or len(seen) >= MAX_CHAIN:
                return (), True
            seen.add(name)
        if items or not moved:
            return tuple(_text(item) for item in items[:MAX_VALUES]), False
        is_own = False


def _ask_best(
    name: dns.name.Name, kind: str, sources: Sources, deadline: float, *, is_own: bool
) -> dns.message.Message:
    """Ask the domain's own servers, and the resolvers where those are silent or only point elsewhere."""
    if is_own and sources.own:
        try:
            halfway = time.monotonic() + (deadline - time.monotonic()) / 2
            reply = ask(name, kind, sources.own, halfway, recursive=False)
            if not _is_referral(reply):
                return reply
        except NoAnswerError:
            pass
    return ask(name, kind, sources.resolvers, deadline)


def ask(
    name: dns.name.Name, kind: str, servers: Servers, deadline: float, *, recursive: bool = True
) -> dns.message.Message:
    """Return the first NOERROR or NXDOMAIN given before the deadline, else raise NoAnswerError."""
    has_edns = True
    for attempt in range(max(MAX_TRIES, len(servers))):
        left = deadline - time.monotonic()
        if left <= 0 or not servers:
            break
        host, port = servers[attempt % len(servers)]
        question = dns.message.make_query(
            name,
            kind,
            flags=dns.flags.RD if recursive else 0,
            use_edns=0 if has_edns else -1,
            payload=PAYLOAD if has_edns else None,
        )
        try:
            # Half of what is left: a lost datagram still leaves time to ask again.
            reply, _tcp = dns.query.udp_with_fallback(question, host, timeout=left / 2, port=port)
        except (dns.exception.DNSException, OSError, EOFError, ValueError):
            continue
        if reply.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            return reply
        has_edns = has_edns and reply.rcode() not in (dns.rcode.FORMERR, dns.rcode.NOTIMP)
    raise NoAnswerError


def _is_referral(reply: dns.message.Message) -> bool:
    kinds = {rrset.rdtype for rrset in reply.authority}
    points_elsewhere = dns.rdatatype.NS in kinds and dns.rdatatype.SOA not in kinds
    return points_elsewhere and not reply.answer and not reply.flags & dns.flags.AA


def _records(reply: dns.message.Message, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> list:
    return [item for rrset in reply.answer if rrset.name == name and rrset.rdtype == rdtype for item in rrset]


def _text(item: object) -> str:
    if hasattr(item, "strings"):
        text = b"".join(item.strings).decode("utf-8", "replace")
        return _UNPRINTABLE.sub("\ufffd", text[:MAX_LENGTH])
    if hasattr(item, "address"):
        return str(item.address)
    return item.exchange.to_text(omit_final_dot=True)  # type: ignore[attr-defined]


def _is_public(address: str) -> bool:
    """Say whether the address is one host on the public Internet, however it is written."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address) and any(ip in net for net in _TRANSLATED):
        return False
    return ip.is_global and not ip.is_multicast and not getattr(ip, "is_site_local", False)


def _address(host: str) -> str:
    """Return the address of a name server that the settings name by its host name."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        try:
            return str(socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)[0][4][0])
        except OSError:
            return host
