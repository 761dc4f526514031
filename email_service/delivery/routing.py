"""Where mail goes, and what every way of sending promises."""

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
class Route:
    """The way to one recipient domain."""

    domain: str
    relay: Relay


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
