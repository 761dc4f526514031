"""Which DNS records prove a domain."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Purpose(StrEnum):
    DMARC = "dmarc"
    TRACKING = "tracking"
    MX = "mx"
    SPF = "spf"
    DKIM = "dkim"
    DKIM_NEXT = "dkim_next"  # of the key that signs next
    DKIM_OLD = "dkim_old"  # of the key that signed until now


# Every other record may fail and the domain still pass.
NEEDED = (Purpose.DMARC, Purpose.TRACKING, Purpose.SPF, Purpose.DKIM)


class Result(StrEnum):
    """The values of DomainRecord.Status."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Platform:
    """What this installation asks tenants' domains to point at (settings PLATFORM_…)."""

    mx: str
    spf_include: str
    dmarc_host: str
    tracking_host: str
    selector: str


@dataclass(frozen=True, slots=True)
class Expected:
    """One record to publish."""

    purpose: Purpose
    kind: str
    name: str
    value: str

    @property
    def is_advisory(self) -> bool:
        """True where the record may fail and the domain still pass."""
        return self.purpose not in NEEDED


@dataclass(frozen=True, slots=True)
class Found:
    """What the DNS answered for a record's name.

    `values` of the record's own type (a CNAME's chain in order, an MX's hosts, a TXT's joined strings);
    `texts` are the TXT records behind a CNAME; `is_silent`: no usable answer came;
    `is_doubled`: the record stands at the name with the domain written twice.
    """

    values: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    is_silent: bool = False
    is_doubled: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found of a record; `is_partial`: not everything behind it could be looked at."""

    status: Result
    current: str = ""
    reason: str = ""
    values: Mapping[str, str | int] = field(default_factory=dict)
    is_partial: bool = False


LOOP = "…"  # stands at the end of a chain that never ends


def expected(domain: str, *, token: str, public_key: str, platform: Platform) -> tuple[Expected, ...]:
    """Return the five records to publish for the domain, in the order pages show them."""
    return (
        Expected(Purpose.DMARC, "CNAME", f"_dmarc.{domain}", platform.dmarc_host),
        Expected(Purpose.TRACKING, "CNAME", f"tracking.{domain}", f"{token}.{platform.tracking_host}"),
        Expected(Purpose.MX, "MX", domain, platform.mx),
        Expected(Purpose.SPF, "TXT", domain, f"v=spf1 include:{platform.spf_include} ~all"),
        dkim_record(Purpose.DKIM, domain, selector=platform.selector, public_key=public_key),
    )


def dkim_record(purpose: Purpose, domain: str, *, selector: str, public_key: str) -> Expected:
    return Expected(purpose, "TXT", f"{selector}._domainkey.{domain}", f"v=DKIM1; k=rsa; p={public_key}")


def proves(judgements: Mapping[Purpose, Judgement], *, was_verified: bool) -> bool:
    """Say whether the domain is verified: every CNAME and TXT is there.

    A verified domain stays so where there was no answer; only an answer takes the proof away.
    """
    accepted = (Result.OK, Result.UNKNOWN) if was_verified else (Result.OK,)
    return all(judgements[purpose].status in accepted for purpose in NEEDED)
