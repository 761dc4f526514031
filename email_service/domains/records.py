"""Which DNS records prove a domain, and what an answer of the DNS says about each."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Purpose(StrEnum):
    DMARC = "dmarc"
    TRACKING = "tracking"
    MX = "mx"
    SPF = "spf"
    DKIM = "dkim"


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
        return self.purpose == Purpose.MX


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
    status: Result
    current: str = ""
    reason: str = ""


REASONS: dict[str, str | Promise] = {
    "not_found": _("Nothing is published under this name yet. New records can take a few minutes to appear."),
    "differs": _("Another value is published under this name. Replace it with the expected value."),
    "not_spf": _(
        "There are TXT records under this name, but none of them is an SPF record. Add the expected value."
    ),
    "two_spf": _("There are several SPF records; receivers accept only one. Merge them into one record."),
    "spf_without_include": _(
        "The SPF record does not include this platform. Add the expected include to it, before “all”."
    ),
    "spf_include_too_late": _(
        "The include stands behind “all”, where receivers no longer look. Move it before “all”."
    ),
    "name_doubled": _(
        "The record was found with the domain written twice in its name. Enter only the part "
        "before your domain as the host."
    ),
    "value_doubled": _(
        "Your own domain was appended to the value. Put a dot at the end of the value, or "
        "enter it as a full name."
    ),
    "quoted": _("The value was published with quotation marks around it. Remove the quotation marks."),
    "not_dkim": _(
        "There is a TXT record under this name, but it is no DKIM key. Replace it with the expected value."
    ),
    "two_dkim": _(
        "There are several DKIM keys under this name; receivers cannot choose. Keep only the expected one."
    ),
    "dkim_differs": _(
        "Another DKIM key is published. Replace it with the expected value, complete and without line breaks."
    ),
    "dkim_revoked": _("The published DKIM key is empty, which revokes it. Enter the expected value."),
    "dkim_limited": _(
        "The published DKIM key is limited to other uses or algorithms. Enter the expected value."
    ),
    "two_dmarc": _("There are several DMARC policies; receivers then ignore all of them. Keep only one."),
    "no_answer": _("The name servers did not answer. Nothing was changed; verify again in a few minutes."),
    "loop": _(
        "The CNAME records lead in a circle or through too many names. Point this one "
        "straight at the expected value."
    ),
    "dmarc_direct": _("A DMARC policy of your own is published here, which is accepted."),
    "no_account": _("No account has this domain, so there is no value to compare with."),
}
LOOP = "…"  # stands at the end of a chain that never ends


def expected(domain: str, *, token: str, public_key: str, platform: Platform) -> tuple[Expected, ...]:
    """Return the five records to publish for the domain, in the order pages show them."""
    return (
        Expected(Purpose.DMARC, "CNAME", f"_dmarc.{domain}", platform.dmarc_host),
        Expected(Purpose.TRACKING, "CNAME", f"tracking.{domain}", f"{token}.{platform.tracking_host}"),
        Expected(Purpose.MX, "MX", domain, platform.mx),
        Expected(Purpose.SPF, "TXT", domain, f"v=spf1 include:{platform.spf_include} ~all"),
        Expected(
            Purpose.DKIM, "TXT", f"{platform.selector}._domainkey.{domain}", f"v=DKIM1; k=rsa; p={public_key}"
        ),
    )


def proves(judgements: dict[Purpose, Judgement], *, was_verified: bool) -> bool:
    """Say whether the domain is verified: every CNAME and TXT is there.

    A verified domain stays so where there was no answer; only an answer takes the proof away.
    """
    accepted = (Result.OK, Result.UNKNOWN) if was_verified else (Result.OK,)
    return all(
        judgement.status in accepted for purpose, judgement in judgements.items() if purpose != Purpose.MX
    )


def judge(record: Expected, found: Found, *, domain: str) -> Judgement:
    """Compare what was found with what is expected, and give the reason where they differ."""
    judgement = _JUDGES[record.purpose](record, found, domain)
    if judgement.status != Result.FAILED:
        return judgement
    if found.is_silent:
        return Judgement(Result.UNKNOWN, "", "no_answer")
    if found.is_doubled and judgement.reason in ("not_found", "not_spf"):
        return Judgement(Result.FAILED, judgement.current, "name_doubled")
    return judgement


def _failed(found: tuple[str, ...], reason: str) -> Judgement:
    return Judgement(Result.FAILED, "\n".join(found), reason)


def _judge_host(record: Expected, found: Found, domain: str) -> Judgement:
    hosts = tuple(_host(value) for value in found.values if value != LOOP)
    wanted = _host(record.value)
    current = " → ".join(hosts) if record.kind == "CNAME" else "\n".join(hosts)
    if wanted in hosts:
        return Judgement(Result.OK, current)
    if not hosts:
        return Judgement(Result.FAILED, "", "not_found")
    if LOOP in found.values:
        return Judgement(Result.FAILED, current, "loop")
    if any(host.strip("\"'\\") == wanted for host in hosts):
        return Judgement(Result.FAILED, current, "quoted")
    # What a DNS host makes of a value without a dot at its end: it, and some part of the own domain.
    zones = [domain.split(".", cut)[-1] for cut in range(domain.count(".") + 1)]
    if any(host == f"{wanted}.{zone}" for host in hosts for zone in zones):
        return Judgement(Result.FAILED, current, "value_doubled")
    return Judgement(Result.FAILED, current, "differs")


def _judge_dmarc(record: Expected, found: Found, domain: str) -> Judgement:
    by_name = _judge_host(record, found, domain)
    if by_name.status == Result.OK:
        return by_name
    policy = re.compile(r"\s*v\s*=\s*DMARC1\s*(;|$)", re.IGNORECASE)
    policies = tuple(text for text in found.texts if policy.match(text))
    if len(policies) > 1:
        return _failed(policies, "two_dmarc")
    if policies and _tags(policies[0]).get("p", "").lower() in ("none", "quarantine", "reject"):
        return Judgement(Result.OK, policies[0], "dmarc_direct")
    if found.texts and not found.values:
        return _failed(found.texts, "quoted" if _is_quoted(found.texts, "v=dmarc1") else "differs")
    return by_name


def _judge_spf(record: Expected, found: Found, domain: str) -> Judgement:
    policies = tuple(text for text in found.values if re.match(r"v=spf1( |$)", text.strip(), re.IGNORECASE))
    if len(policies) > 1:
        return _failed(policies, "two_spf")
    if not policies:
        if _is_quoted(found.values, "v=spf1"):
            return _failed(found.values, "quoted")
        return _failed(found.values, "not_spf" if found.values else "not_found")

    include = record.value.split()[1].partition(":")[2].lower()
    terms = [term.lower().rstrip(".").removeprefix("+") for term in policies[0].split()[1:]]
    everything = next((at for at, term in enumerate(terms) if term.lstrip("-~?") == "all"), None)
    ours = next((at for at, term in enumerate(terms) if term == f"include:{include}"), None)
    if ours is not None and (everything is None or ours < everything):
        return Judgement(Result.OK, policies[0])
    if ours is not None:
        return _failed(policies, "spf_include_too_late")
    if everything is None and f"redirect={include}" in terms:
        return Judgement(Result.OK, policies[0])
    return _failed(policies, "spf_without_include")


def _judge_dkim(record: Expected, found: Found, domain: str) -> Judgement:
    keys = tuple(text for text in found.values if "p" in _tags(text))
    if not found.values:
        return Judgement(Result.FAILED, "", "not_found")
    if _is_quoted(found.values, "v=dkim1"):
        return _failed(found.values, "quoted")
    if not keys:
        return _failed(found.values, "not_dkim")
    if len(keys) > 1:
        return _failed(keys, "two_dkim")
    tags = _tags(keys[0])
    if not tags["p"]:
        return _failed(keys, "dkim_revoked")
    if tags["p"] != _tags(record.value)["p"] or tags.get("k", "rsa").lower() != "rsa":
        return _failed(keys, "dkim_differs")
    if tags.get("v", "DKIM1").upper() != "DKIM1":
        return _failed(keys, "not_dkim")
    hashes, services = tags.get("h", "sha256").lower().split(":"), tags.get("s", "*").lower().split(":")
    if "sha256" not in hashes or not {"*", "email"} & set(services):
        return _failed(keys, "dkim_limited")
    return Judgement(Result.OK, keys[0])


_JUDGES: dict[Purpose, Callable[[Expected, Found, str], Judgement]] = {
    Purpose.DMARC: _judge_dmarc,
    Purpose.TRACKING: _judge_host,
    Purpose.MX: _judge_host,
    Purpose.SPF: _judge_spf,
    Purpose.DKIM: _judge_dkim,
}


def _host(name: str) -> str:
    return name.strip().rstrip(".").lower()


def _tags(text: str) -> dict[str, str]:
    """Read `v=DKIM1; k=rsa; p=…` whatever the spaces, the order and the case of the names."""
    pairs = (part.partition("=") for part in text.split(";") if "=" in part)
    return {name.strip().lower(): re.sub(r"\s+", "", value) for name, _equals, value in pairs}


def _is_quoted(texts: tuple[str, ...], start: str) -> bool:
    opened = (text.strip().lstrip("\"'“”‘’\\").lower() for text in texts if text.strip()[:1] in "\"'“”‘’\\")
    return any(re.sub(r"\s", "", text).startswith(start) for text in opened)
