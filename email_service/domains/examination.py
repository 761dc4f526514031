"""Looking records up and judging what was found: all at once, each within its time. No database."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from email_service.domains import lookups
from email_service.domains.lookups import Sources
from email_service.domains.names import registrable
from email_service.domains.records import Expected, Found, Judgement, Purpose, Result
from email_service.domains.verdicts import judge, judge_cost, spf_include

# What stands in place of an account's own values for a name that no account has.
NO_TOKEN = "<token>"  # noqa: S105
NO_KEY = "<key>"


@dataclass(frozen=True, slots=True)
class Finding:
    """One expected record, and what is published in its place."""

    record: Expected
    judgement: Judgement


def examine(name: str, records: tuple[Expected, ...], *, asks_owner: bool = True) -> list[Finding]:
    """Look the records up, all at once and each within DNS_TIMEOUT_SECONDS, and judge them.

    `asks_owner` asks the domain's own name servers, so that no cache shows yesterday's records.
    """
    sources = lookups.sources_for(name, asks_owner=asks_owner)
    with ThreadPoolExecutor(max_workers=len(records)) as pool:
        judgements = pool.map(lambda record: _examine_one(record, name, sources), records)
        return [Finding(record, judgement) for record, judgement in zip(records, judgements, strict=True)]


def _examine_one(record: Expected, name: str, sources: Sources) -> Judgement:
    deadline = time.monotonic() + sources.timeout
    found = _find(record, record.name, sources, deadline)
    judgement = judge(record, found, domain=name)
    if judgement.status == Result.FAILED and judgement.reason in ("not_found", "not_spf"):
        for zone in dict.fromkeys((name, registrable(name))):
            twice = judge(record, _find(record, f"{record.name}.{zone}", sources, deadline), domain=name)
            if twice.status == Result.OK:
                return judge(record, replace(found, is_doubled=True), domain=name)
    if judgement.status == Result.OK and record.purpose == Purpose.SPF:
        trusted = spf_include(record)
        cost = lookups.find_cost(name, judgement.current, sources, deadline, trusted=trusted)
        return judge_cost(judgement, cost)
    if NO_TOKEN in record.value or NO_KEY in record.value:
        return _without_account(judgement)
    return judgement


def _find(record: Expected, name: str, sources: Sources, deadline: float) -> Found:
    if record.purpose == Purpose.DMARC:
        return lookups.find_policy(name, sources, deadline, stop_at=record.value)
    return lookups.find(name, record.kind, sources, deadline, stop_at=record.value)


def _without_account(judgement: Judgement) -> Judgement:
    """A published value that only an account could tell right from wrong is neither."""
    if judgement.status == Result.FAILED and judgement.reason in ("differs", "dkim_differs"):
        return Judgement(Result.UNKNOWN, judgement.current, "no_account")
    return judgement
