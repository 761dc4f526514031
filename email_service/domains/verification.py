"""Looking a domain's records up and writing down what was found."""

from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from email_service.domains import queries, rotation
from email_service.domains.examination import NO_KEY, NO_TOKEN, Finding, examine
from email_service.domains.models import AT_ONCE, Domain, DomainRecord
from email_service.domains.records import (
    NEEDED,
    Expected,
    Judgement,
    Platform,
    Purpose,
    Result,
    expected,
    proves,
)
from email_service.domains.rotation import selectors

STATE = ("status", "verified_at", "lost_since", "told", "claimed_at")


def platform() -> Platform:
    """Return what this installation asks domains to point at."""
    return Platform(
        mx=settings.PLATFORM_MX,
        spf_include=settings.PLATFORM_SPF_INCLUDE,
        dmarc_host=settings.PLATFORM_DMARC_HOST,
        tracking_host=settings.PLATFORM_TRACKING_HOST,
        selector=selectors()[0],
    )


def expected_of(domain: Domain) -> tuple[Expected, ...]:
    """Return the records that verify the domain now."""
    key = queries.signing_key(domain.pk)
    here = platform()
    if key is not None:
        here = replace(here, selector=key.selector)
    public_key = key.public_key if key else NO_KEY
    return expected(domain.name, token=domain.token, public_key=public_key, platform=here)


def records_of(domain: Domain) -> tuple[Expected, ...]:
    """Return all that a check looks up: what verifies the domain, and what a new key or an old one needs."""
    return (*expected_of(domain), *rotation.records_of(domain))


def expected_of_nobody(name: str) -> tuple[Expected, ...]:
    """Return the records for a name that no account has, with marks where its own values would stand."""
    return expected(name, token=NO_TOKEN, public_key=NO_KEY, platform=platform())


@dataclass(frozen=True, slots=True)
class Outcome:
    """What must follow a check, once it is written down."""

    domain_id: int
    must_tell: bool = False  # the account does not know yet how things stand
    holder_id: int | None = None  # the domain of another account that holds the name, if that is to be seen


def check_domain(domain_id: int, *, asks_owner: bool = True) -> Outcome:
    """Look all records of the domain up and write down the outcome; a domain that is gone is no error."""
    domain = Domain.objects.filter(pk=domain_id).first()
    if domain is None:
        return Outcome(domain_id)
    findings = examine(domain.name, records_of(domain), asks_owner=asks_owner)
    return write(domain, findings, now=timezone.now())


def is_proof(findings: list[Finding], *, was_verified: bool) -> bool:
    """Say whether these findings make, or leave, the domain verified."""
    return proves(_judgements(findings), was_verified=was_verified)


@transaction.atomic
def write(checked: Domain, findings: list[Finding], *, now: datetime) -> Outcome:
    """Store what was found, and what it makes of the domain; one transaction.

    Nothing is written where the domain was renamed, deleted or checked anew meanwhile. A name that another
    account has verified stays unverified here, whatever its records say.
    """
    domain = Domain.objects.select_for_update().filter(pk=checked.pk).first()
    if domain is None or (domain.name, domain.checking_since) != (checked.name, checked.checking_since):
        return Outcome(checked.pk)

    domain.checking_since = None
    domain.checked_at = now
    current = records_of(domain)
    findings = [finding for finding in findings if finding.record in current]
    if (
        not set(NEEDED) <= _judgements(findings).keys()
    ):  # The key was replaced while the old one was asked for.
        domain.save(update_fields=["checking_since"])
        return Outcome(domain.pk)

    findings = rotation.advance(domain, findings, now)
    rows = {row.purpose: row for row in domain.records.all()}
    findings = [_with_known(rows[finding.record.purpose], finding) for finding in findings]
    for finding in findings:
        _note(rows[finding.record.purpose], finding, now)
    fields = ["kind", "name", "expected", "current", "status", "reason", "reason_values", "checked_at"]
    DomainRecord.objects.bulk_update(rows.values(), fields)
    rotation.clear(domain, findings)

    is_proved = is_proof(findings, was_verified=domain.is_verified)
    if not domain.is_verified:
        _claim(domain, findings, now)
    elif is_proved:
        _hold(domain, findings)
    else:
        _lose(domain, now)
    domain.save(update_fields=["checking_since", "checked_at", *STATE])
    return Outcome(domain.pk, domain.told != due_to_tell(domain), _holder_to_see(domain, now))


def due_to_tell(domain: Domain) -> Domain.Told:
    """Return what the account should have been told by now."""
    if domain.lost_since is None:
        return Domain.Told.NOTHING
    return Domain.Told.AT_RISK if domain.is_verified else Domain.Told.BLOCKED


def _claim(domain: Domain, findings: list[Finding], now: datetime) -> None:
    """Verify the domain where it is proved, unless another account holds it; the database decides a race."""
    if not is_proof(findings, was_verified=False):
        if not is_proof(findings, was_verified=True):  # An answer, not silence, takes a claim back.
            domain.claimed_at = None
        return
    before = {name: getattr(domain, name) for name in STATE}
    domain.status, domain.verified_at = Domain.Status.VERIFIED, now
    domain.lost_since, domain.told, domain.claimed_at = None, Domain.Told.NOTHING, None
    try:
        with transaction.atomic():
            domain.save(update_fields=STATE)
    except IntegrityError:
        for name, value in before.items():
            setattr(domain, name, value)
        domain.claimed_at = domain.claimed_at or now


def _hold(domain: Domain, findings: list[Finding]) -> None:
    """End a loss once every record has answered; silence neither ends nor begins one."""
    if is_proof(findings, was_verified=False):
        domain.lost_since, domain.told = None, Domain.Told.NOTHING


def _lose(domain: Domain, now: datetime) -> None:
    """Begin the grace period, or block the domain at its end."""
    domain.lost_since = domain.lost_since or now
    if now >= domain.lost_since + domain.grace():
        domain.status = Domain.Status.UNVERIFIED


def _holder_to_see(domain: Domain, now: datetime) -> int | None:
    """Return the domain that holds a claimed name, unless it was looked at just now."""
    if domain.claimed_at is None:
        return None
    holder = Domain.objects.verified().filter(name=domain.name).exclude(pk=domain.pk).first()
    is_fresh = holder is not None and holder.checked_at is not None and holder.checked_at > now - AT_ONCE
    return holder.pk if holder is not None and not is_fresh else None


def _judgements(findings: list[Finding]) -> dict[Purpose, Judgement]:
    return {finding.record.purpose: finding.judgement for finding in findings}


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
