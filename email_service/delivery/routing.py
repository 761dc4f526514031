"""Where mail goes, and what every way of sending promises."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol

import idna

from email_service.delivery.envelopes import Claim, Envelope, Outcome

Security = Literal["none", "starttls", "tls"]
Guard = Callable[[Envelope], bool]
OnOutcomes = Callable[[Sequence[Outcome]], None]


@dataclass(frozen=True, slots=True)
class Relay:
    """A server that takes mail for every destination.

    With `starttls` nothing is sent to a server that does not offer it. Without `verify` any
    certificate will do, and outcomes say "unverified".
    """

    host: str
    port: int = 25
    security: Security = "none"
    username: str = ""
    password: str = ""
    connections: int = 4
    verify: bool = True

    def __repr__(self) -> str:
        return f"Relay({self.host}:{self.port}, {self.security})"


@dataclass(frozen=True, slots=True)
class Direct:
    """Every destination's own servers, found in the DNS.

    `nameservers` are asked; without them the system's are. `allowed_networks` may be connected to
    though they are not public. `connections` is the most that one destination gets from one worker.
    """

    nameservers: tuple[tuple[str, int], ...] = ()
    dns_timeout: float = 5.0
    port: int = 25
    allowed_networks: tuple[str, ...] = ()
    connections: int = 8
    policy_port: int = 443


@dataclass(frozen=True, slots=True)
class Route:
    """The servers that take a domain's mail; `lives`: seconds it stays true.

    `ranks` holds them by preference, the best first, sorted within a rank: domains with the same
    servers have the same ranks. `must_verify`: the domain's MTA-STS policy wants TLS and a valid
    certificate, or no mail.
    """

    ranks: tuple[tuple[str, ...], ...]
    lives: float
    must_verify: bool = False

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(host for rank in self.ranks for host in rank)


@dataclass(frozen=True, slots=True)
class NoRoute:
    """Why a domain gets no mail: for good, or for now."""

    text: str
    enhanced: str
    lives: float
    is_final: bool


MOST_HOSTS = 10
_SHUFFLE = random.SystemRandom().shuffle


def ranked(exchangers: Iterable[tuple[int, str]]) -> tuple[tuple[str, ...], ...]:
    """Put MX records in ranks; a host that is named twice keeps its better place."""
    best: dict[str, int] = {}
    for preference, name in sorted(exchangers):
        best.setdefault(name.rstrip(".").lower(), preference)
    ranks: dict[int, list[str]] = {}
    for host, preference in best.items():
        ranks.setdefault(preference, []).append(host)
    return tuple(tuple(sorted(hosts)) for _, hosts in sorted(ranks.items()))


def in_order(
    ranks: Iterable[Sequence[str]], shuffle: Callable[[list[str]], None] = _SHUFFLE
) -> tuple[str, ...]:
    """Answer the servers to try: rank by rank, equal ones in no fixed order (RFC 5321 5.1), not too many."""
    found: list[str] = []
    for rank in ranks:
        hosts = list(rank)
        shuffle(hosts)
        found += hosts
    return tuple(found[:MOST_HOSTS])


def is_null(exchangers: Sequence[tuple[int, str]]) -> bool:
    """Say whether the records mean that the domain takes no mail (RFC 7505)."""
    return len(exchangers) == 1 and exchangers[0][1].rstrip(".") == ""


class Transport(Protocol):
    """A way of sending. `deliver` gives each message of the claim exactly one outcome."""

    def deliver(
        self, claim: Claim, envelopes: Iterable[Envelope], *, guard: Guard, on_outcomes: OnOutcomes
    ) -> None: ...

    def stop(self) -> None: ...

    def close(self, grace: float = ...) -> tuple[int, ...]: ...


@lru_cache(maxsize=4096)
def _a_label(domain: str) -> str:
    domain = domain.rstrip(".").lower()
    if domain.startswith("[") and domain.endswith("]"):
        return domain
    if not domain.isascii():
        domain = idna.encode(domain, uts46=True).decode("ascii")
    if not domain or len(domain) > 253 or not all(part and len(part) <= 63 for part in domain.split(".")):
        raise ValueError(f"This is not a domain name: {domain!r}.")
    if any(sign <= " " or sign in '<>@",;:\\()' or sign == "\x7f" for sign in domain):
        raise ValueError(f"This is not a domain name: {domain!r}.")
    return domain


def recipient_domain(address: str) -> str:
    """Answer the address's domain as lower-case A-labels; ValueError when it has none."""
    local, _, domain = address.rpartition("@")
    if not local:
        raise ValueError(f"This is not one e-mail address: {address!r}.")
    return _a_label(domain)
