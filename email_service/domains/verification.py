"""Looking a domain's records up and writing down what was found."""

from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from email_service.domains import queries
from email_service.domains.examination import NO_KEY, NO_TOKEN, Finding, examine
from email_service.domains.models import Domain, DomainRecord
from email_service.domains.records import Expected, Judgement, Platform, Result, expected, proves


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
    findings = [_with_known(rows[finding.record.purpose], finding) for finding in findings]
    for finding in findings:
        _note(rows[finding.record.purpose], finding, now)
    fields = ["kind", "name", "expected", "current", "status", "reason", "reason_values", "checked_at"]
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


def _with_known(row: DomainRecord, finding: Finding) -> Finding:
    """Keep a verdict on what stands behind an SPF record while not all of that answers."""
    judgement = finding.judgement
    if not judgement.is_partial or (row.status, row.current) != (Result.FAILED, judgement.current):
        return finding
    known = Judgement(Result(row.status), row.current, row.reason, row.reason_values)
    return replace(finding, judgement=known)


def _note(row: DomainRecord, finding: Finding, now: datetime) -> None:
    record, judgement = finding.record, finding.judgement
    is_same = (row.name, row.expected) == (record.name, record.value)
    row.kind, row.name, row.expected = record.kind, record.name, record.value
    row.status, row.reason, row.checked_at = judgement.status, judgement.reason, now
    row.reason_values = dict(judgement.values)
    # Silence is no news: what was seen last stays on the page.
    if judgement.status != Result.UNKNOWN or not is_same:
        row.current = judgement.current
