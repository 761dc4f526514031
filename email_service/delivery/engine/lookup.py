"""Asking the DNS where a domain's mail goes. What is definite is told from what is only unknown."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver

from email_service.delivery.routing import NoRoute, Route, is_null, ranked

SHORTEST, LONGEST = 5.0, 600.0
UNKNOWN_LIVES = 15.0
MOST_ADDRESSES = 2  # of each family, of one host
MOST_KEPT = 20_000
_MOST_TEXT = 4096


class Unknown(Exception):
    """No usable answer came: nothing is known, and it is asked again later."""


@dataclass(frozen=True, slots=True)
class Found:
    """`exists` False: there is no such name (NXDOMAIN). `lives`: seconds the answer stays true."""

    values: tuple[str, ...]
    lives: float
    exists: bool = True


class Lookup:
    """Asks the given name servers, or the system's; lives in the loop's thread."""

    def __init__(self, nameservers: Sequence[tuple[str, int]], timeout: float) -> None:
        self._resolver = dns.asyncresolver.Resolver(configure=not nameservers)
        if nameservers:
            self._resolver.nameservers = [
                dns.nameserver.Do53Nameserver(address, port) for address, port in nameservers
            ]
        self._resolver.lifetime = timeout
        self._resolver.timeout = min(timeout, 2.0)
        self._resolver.search = []
        self._kept: dict[str, tuple[tuple[str, ...], float]] = {}

    async def route(self, domain: str) -> Route | NoRoute:
        """Find the servers of the domain: its MX, else itself."""
        try:
            found = await self._ask(domain, "MX")
            exchangers = [(int(number), host) for number, host in (row.split(" ") for row in found.values)]
            if not found.exists:
                return NoRoute(f"The domain {domain} does not exist.", "5.1.2", found.lives, is_final=True)
            if is_null(exchangers):
                text = f"The domain {domain} takes no mail: its MX is null."
                return NoRoute(text, "5.1.10", found.lives, is_final=True)
            ranks = ranked(pair for pair in exchangers if pair[1].rstrip("."))
            if ranks:
                return Route(ranks, found.lives)
            if exchangers:
                return NoRoute(f"The domain {domain} has only null MX.", "5.1.10", found.lives, is_final=True)
            # Only where it is certain that there is no MX: a silent server proves nothing.
            addresses, lives = await self.addresses(domain)
        except Unknown as error:
            return NoRoute(str(error), "4.4.3", UNKNOWN_LIVES, is_final=False)
        if not addresses:
            text = f"The domain {domain} has neither a mail server nor an address."
            return NoRoute(text, "5.1.2", lives, is_final=True)
        return Route(((domain,),), lives)

    async def addresses(self, host: str) -> tuple[tuple[str, ...], float]:
        """Answer the host's addresses, IPv6 first, and how long they stay true; none: there certainly are none."""
        now = time.monotonic()
        kept, until = self._kept.get(host, ((), 0.0))
        if now < until:
            return kept, until - now
        found: list[str] = []
        lives, unknown = LONGEST, None
        for kind in ("AAAA", "A"):
            try:
                answer = await self._ask(host, kind)
            except Unknown as error:
                unknown = error
                continue
            found += answer.values[:MOST_ADDRESSES]
            lives = min(lives, answer.lives)
        if unknown is not None and not found:
            raise unknown
        while len(self._kept) >= MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))
        # Half an answer is used once, and asked for again.
        self._kept[host] = tuple(found), 0.0 if unknown else now + lives
        return tuple(found), lives

    async def texts(self, name: str) -> Found:
        return await self._ask(name, "TXT")

    async def _ask(self, name: str, kind: str) -> Found:
        try:
            answer = await self._resolver.resolve(f"{name}.", kind, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            return Found((), LONGEST / 10, exists=False)
        except dns.resolver.NoNameservers as error:
            raise Unknown(f"The name servers of {name} failed to answer for {kind}.") from error
        except (dns.exception.DNSException, OSError, ValueError) as error:
            raise Unknown(f"The DNS gave no answer for {name} {kind} in time.") from error
        if answer.rrset is None:
            return Found((), LONGEST / 10)
        lives = max(SHORTEST, min(float(answer.rrset.ttl), LONGEST))
        if answer.rdtype == dns.rdatatype.MX:
            values = tuple(f"{row.preference} {row.exchange.to_text()}" for row in answer)
        elif answer.rdtype == dns.rdatatype.TXT:
            joined = (b"".join(row.strings)[:_MOST_TEXT] for row in answer)
            values = tuple(text.decode("utf-8", "replace") for text in joined)
        else:
            values = tuple(row.address for row in answer)
        return Found(values, lives)
