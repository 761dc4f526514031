"""What an answer of the DNS says about a record."""

import re
from collections.abc import Callable
from dataclasses import replace

from email_service.domains import spf
from email_service.domains.records import LOOP, Expected, Found, Judgement, Purpose, Result
from email_service.domains.spf import Cost


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


def judge_cost(judgement: Judgement, cost: Cost) -> Judgement:
    """Fail an SPF record that is right by itself, but that receivers give up on."""
    problems: list[tuple[object, str, dict[str, str | int]]] = [
        (cost.circle, "spf_circle", {"path": " → ".join(cost.circle)}),
        (cost.lookups > spf.MAX_LOOKUPS, "spf_too_many", {"count": cost.lookups, "most": spf.MAX_LOOKUPS}),
        (
            len(cost.voids) > spf.MAX_VOIDS,
            "spf_void",
            {"count": len(cost.voids), "most": spf.MAX_VOIDS, "names": ", ".join(cost.voids)},
        ),
        (cost.missing, "spf_missing", {"name": cost.missing}),
        (cost.crowded, "spf_crowded", {"name": cost.crowded, "most": spf.MAX_MAIL_SERVERS}),
    ]
    for is_broken, reason, values in problems:
        if is_broken:
            return Judgement(Result.FAILED, judgement.current, reason, values)
    return replace(judgement, is_partial=cost.is_partial)


def spf_include(record: Expected) -> str:
    """Return the platform's own include, as the expected SPF record names it."""
    return record.value.split()[1].partition(":")[2].lower()


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
    policies = tuple(text for text in found.values if spf.is_policy(text))
    if len(policies) > 1:
        return _failed(policies, "two_spf")
    if not policies:
        if _is_quoted(found.values, "v=spf1"):
            return _failed(found.values, "quoted")
        return _failed(found.values, "not_spf" if found.values else "not_found")

    include = spf_include(record)
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


def _judge_old_dkim(record: Expected, found: Found, domain: str) -> Judgement:
    judgement = _judge_dkim(record, found, domain)
    is_gone = judgement.reason in ("not_found", "not_dkim", "dkim_revoked")
    return replace(judgement, reason="dkim_old_gone") if is_gone else judgement


_JUDGES: dict[Purpose, Callable[[Expected, Found, str], Judgement]] = {
    Purpose.DMARC: _judge_dmarc,
    Purpose.TRACKING: _judge_host,
    Purpose.MX: _judge_host,
    Purpose.SPF: _judge_spf,
    Purpose.DKIM: _judge_dkim,
    Purpose.DKIM_NEXT: _judge_dkim,
    Purpose.DKIM_OLD: _judge_old_dkim,
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
