"""What a receiving server would say of a mail's origin: DKIM, SPF and DMARC, asked of the demo's own DNS."""

import ipaddress
import logging
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any

import dkim
from django.conf import settings
from dns import exception, rdatatype, resolver
from publicsuffixlist import PublicSuffixList

MOST_LOOKUPS = 10  # RFC 7208, 4.6.4
_suffixes = PublicSuffixList()
_quiet = logging.getLogger("koomessage.demo.dkim")
_quiet.setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Finding:
    """One method's answer, in the words of RFC 8601."""

    method: str
    result: str  # pass, fail, softfail, neutral, none, permerror
    detail: str = ""

    @property
    def tone(self) -> str:
        return {"pass": "ok", "none": "unknown", "neutral": "unknown"}.get(self.result, "failed")


def judge(content: bytes, *, sender: str, client: str, from_header: str) -> list[Finding]:
    """Return the findings for one mail: DKIM with real signatures, SPF for the envelope, DMARC for From."""
    signature, signed_by = check_dkim(content)
    envelope_domain = sender.rpartition("@")[2].lower()
    spf = Finding("spf", check_spf(client, envelope_domain), envelope_domain)
    from_domain = parseaddr(from_header)[1].rpartition("@")[2].lower()
    aligned = (signature.result == "pass" and is_aligned(signed_by, from_domain)) or (
        spf.result == "pass" and is_aligned(envelope_domain, from_domain)
    )
    policy = next((text for text in texts(f"_dmarc.{from_domain}") if text.startswith("v=DMARC1")), "")
    if not policy:
        policy = next(
            (t for t in texts(f"_dmarc.{_organisation(from_domain)}") if t.startswith("v=DMARC1")), ""
        )
    dmarc = Finding("dmarc", ("pass" if aligned else "fail") if policy else "none", from_domain)
    return [signature, spf, dmarc]


def check_dkim(content: bytes) -> tuple[Finding, str]:
    """Verify the mail's first signature; return the finding and the domain that signed."""
    try:
        verifier = dkim.DKIM(content, logger=_quiet, minkey=1024)
        is_valid = verifier.verify(dnsfunc=_key_text)
    except dkim.ValidationError as error:
        return Finding("dkim", "fail", str(error)), ""
    except dkim.DKIMException as error:
        return Finding("dkim", "permerror", str(error)), ""
    if not verifier.signature_fields:
        return Finding("dkim", "none"), ""
    domain = (verifier.domain or b"").decode()
    selector = (verifier.signature_fields.get(b"s") or b"").decode()
    return Finding("dkim", "pass" if is_valid else "fail", f"d={domain} s={selector}"), domain


def check_spf(client: str, domain: str) -> str:
    """Evaluate the domain's SPF record for the client's address: ip4, ip6, a, mx, include, redirect and all."""
    try:
        return _spf(ipaddress.ip_address(client), domain, [MOST_LOOKUPS])
    except ValueError:
        return "permerror"


def is_aligned(domain: str, from_domain: str) -> bool:
    """Relaxed alignment: both belong to one organisation."""
    return bool(domain) and _organisation(domain) == _organisation(from_domain)


def texts(name: str) -> list[str]:
    return [b"".join(row.strings).decode(errors="replace") for row in _ask(name, rdatatype.TXT)]


def _spf(client: ipaddress.IPv4Address | ipaddress.IPv6Address, domain: str, left: list[int]) -> str:
    left[0] -= 1
    if left[0] < 0:
        raise ValueError("too many look-ups")
    records = [text for text in texts(domain) if text.split(" ")[0] == "v=spf1"]
    if len(records) != 1:
        return "permerror" if records else "none"
    redirect = ""
    for word in records[0].split()[1:]:
        sign, term = (word[0], word[1:]) if word[0] in "+-~?" else ("+", word)
        if term.startswith("redirect="):
            redirect = term.removeprefix("redirect=")
        elif _matches(client, term, domain, left):
            return {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}[sign]
    return _spf(client, redirect, left) if redirect else "neutral"


def _matches(
    client: ipaddress.IPv4Address | ipaddress.IPv6Address, term: str, domain: str, left: list[int]
) -> bool:
    kind, _, value = term.partition(":")
    if kind in ("ip4", "ip6"):
        return client in ipaddress.ip_network(value, strict=False)
    if kind == "include":
        return _spf(client, value, left) == "pass"
    if kind == "a":
        return _has_address(client, value or domain)
    if kind == "mx":
        hosts = (str(row.exchange).rstrip(".") for row in _ask(value or domain, rdatatype.MX))
        return any(_has_address(client, host) for host in hosts)
    return kind == "all"


def _has_address(client: ipaddress.IPv4Address | ipaddress.IPv6Address, host: str) -> bool:
    rows = [*_ask(host, rdatatype.A), *_ask(host, rdatatype.AAAA)]
    return any(ipaddress.ip_address(row.address) == client for row in rows)


def _key_text(name: bytes | str, timeout: float = 5) -> bytes | None:
    # Every string of a record belongs to it; the first record with a key is the one.
    found = texts(name.decode() if isinstance(name, bytes) else name)
    return next((text.encode() for text in found if "p=" in text), None)


def _ask(name: str, kind: rdatatype.RdataType) -> list[Any]:
    if not name:
        return []
    asker = resolver.Resolver(configure=not settings.DNS_NAMESERVERS)
    if settings.DNS_NAMESERVERS:
        host, asker.port = settings.DNS_NAMESERVERS[0]
        asker.nameservers = [host]
    try:
        answer = asker.resolve(name, kind, lifetime=settings.DNS_TIMEOUT_SECONDS, raise_on_no_answer=False)
    except exception.DNSException:
        return []
    return list(answer.rrset or [])


def _organisation(domain: str) -> str:
    return _suffixes.privatesuffix(domain) or domain
