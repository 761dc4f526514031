"""Looking a domain's records up and writing down what was found."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from email_service.domains import lookups, queries
from email_service.domains.lookups import Sources
from email_service.domains.models import Domain, DomainRecord
from email_service.domains.names import registrable
from email_service.domains.records import (
    Expected,
    Found,
    Judgement,
    Platform,
    Purpose,
    Result,
    expected,
    judge,
    proves,
)

# What stands in place of an account's own values for a name that no account has.
NO_TOKEN = "<token>"  # noqa: S105
NO_KEY = "<key>"


@dataclass(frozen=True, slots=True)
class Finding:
    """One expected record, and what is published in its place."""

    record: Expected
    judgement: Judgement


def platform() -> Platform:
    """Return what this installation asks domains to point at."""
    return Platform(
        mx=settings.PLATFORM_MX,
        spf_include=settings.PLATFORM_SPF_INCLUDE,
        dmarc_host=settings.PLATFORM_DMARC_HOST,
        tracking_host=settings.PLATFORM_TRACKING_HOST,
        selector=selector(),
    )


def selector() -> str:
    return f"{settings.DKIM_SELECTOR_PREFIX}1"


def expected_of(domain: Domain) -> tuple[Expected, ...]:
    """Return the records that the domain must publish now."""
    key = queries.signing_key(domain.pk)
    here = platform()
    if key is not None:
        here = replace(here, selector=key.selector)
    public_key = key.public_key if key else NO_KEY
    return expected(domain.name, token=domain.token, public_key=public_key, platform=here)


def expected_of_nobody(name: str) -> tuple[Expected, ...]:
    """Return the records for a name that no account has, with marks where its own values would stand."""
    return expected(name, token=NO_TOKEN, public_key=NO_KEY, platform=platform())


def check_domain(domain_id: int) -> None:
    """Look all records of the domain up and write down the outcome; a domain that is gone is no error."""
    domain = Domain.objects.filter(pk=domain_id).first()
    if domain is None:
        return
    findings = examine(domain.name, expected_of(domain))
    write(domain, findings, now=timezone.now())


def examine(name: str, records: tuple[Expected, ...]) -> list[Finding]:
    """Look the records up, all at once and each within DNS_TIMEOUT_SECONDS, and judge them."""
    sources = lookups.sources_for(name)
    with ThreadPoolExecutor(max_workers=len(records)) as pool:
        judgements = pool.map(lambda record: _examine_one(record, name, sources), records)
        return [Finding(record, judgement) for record, judgement in zip(records, judgements, strict=True)]


def is_proof(findings: list[Finding], *, was_verified: bool) -> bool:
    """Say whether these findings make, or leave, the domain verified."""
    judgements = {finding.record.purpose: finding.judgement for finding in findings}
    return proves(judgements, was_verified=was_verified)


@transaction.atomic
def write(checked: Domain, findings: list[Finding], *, now: datetime) -> None:
    """Store what was found, and whether the domain is verified now; one transaction.

    Nothing is written where the domain was renamed, deleted or checked anew meanwhile. A name that another
    account has verified stays unverified here, whatever its records say.
    """
    domain = Domain.objects.select_for_update().filter(pk=checked.pk).first()
    if domain is None or (domain.name, domain.checking_since) != (checked.name, checked.checking_since):
        return

    rows = {row.purpose: row for row in domain.records.all()}
    for finding in findings:
        _note(rows[finding.record.purpose], finding, now)
    fields = ["kind", "name", "expected", "current", "status", "reason", "checked_at"]
    DomainRecord.objects.bulk_update(rows.values(), fields)

    domain.checking_since = None
    domain.checked_at = now
    if not is_proof(findings, was_verified=domain.is_verified):
        domain.status = Domain.Status.UNVERIFIED
    elif not domain.is_verified:
        _verify(domain, now)
    domain.save(update_fields=["status", "checking_since", "checked_at", "verified_at"])


def _verify(domain: Domain, now: datetime) -> None:
    """Mark the domain as verified unless another account was first; the database decides a race."""
    before = (domain.status, domain.verified_at)
    domain.status, domain.verified_at = Domain.Status.VERIFIED, now
    try:
        with transaction.atomic():
            domain.save(update_fields=["status", "verified_at"])
    except IntegrityError:
        domain.status, domain.verified_at = before


def _note(row: DomainRecord, finding: Finding, now: datetime) -> None:
    record, judgement = finding.record, finding.judgement
    is_same = (row.name, row.expected) == (record.name, record.value)
    row.kind, row.name, row.expected = record.kind, record.name, record.value
    row.status, row.reason, row.checked_at = judgement.status, judgement.reason, now
    # Silence is no news: what was seen last stays on the page.
    if judgement.status != Result.UNKNOWN or not is_same:
        row.current = judgement.current


def _examine_one(record: Expected, name: str, sources: Sources) -> Judgement:
    deadline = time.monotonic() + sources.timeout
    found = _find(record, record.name, sources, deadline)
    judgement = judge(record, found, domain=name)
    if judgement.status == Result.FAILED and judgement.reason in ("not_found", "not_spf"):
        for zone in dict.fromkeys((name, registrable(name))):
            twice = judge(record, _find(record, f"{record.name}.{zone}", sources, deadline), domain=name)
            if twice.status == Result.OK:
                return judge(record, replace(found, is_doubled=True), domain=name)
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
