"""Replacing a DKIM key without a moment in which mails cannot be verified: two keys, two selectors.

The new key's record is published while the old key signs; once a check has seen it the new key signs, and the
old one's record stays for mails under way.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings

from email_service.domains.examination import Finding
from email_service.domains.models import DkimKey, Domain, DomainRecord
from email_service.domains.records import Expected, Purpose, Result, dkim_record

PURPOSES = (Purpose.DKIM_NEXT, Purpose.DKIM_OLD)
POSITIONS = {Purpose.DKIM: 4, Purpose.DKIM_NEXT: 5, Purpose.DKIM_OLD: 6}
_MOVES = {Purpose.DKIM_NEXT: Purpose.DKIM, Purpose.DKIM: Purpose.DKIM_OLD}


def selectors() -> tuple[str, str]:
    return f"{settings.DKIM_SELECTOR_PREFIX}1", f"{settings.DKIM_SELECTOR_PREFIX}2"


def records_of(domain: Domain) -> tuple[Expected, ...]:
    """Return what is looked up beside the records that verify the domain."""
    rows = domain.records.filter(purpose__in=PURPOSES)
    return tuple(Expected(Purpose(row.purpose), row.kind, row.name, row.expected) for row in rows)


def begin(domain: Domain, key: tuple[bytes, str]) -> DkimKey:
    """Add the key that signs next, and its record; inside the caller's transaction, on a locked domain."""
    private, public = key
    taken = set(domain.dkim_keys.values_list("selector", flat=True))
    selector = next(name for name in selectors() if name not in taken)
    next_key = DkimKey.objects.create(
        domain=domain,
        selector=selector,
        private_key=private.decode(),
        public_key=public,
        state=DkimKey.State.NEXT,
    )
    # What is left of the rotation before would be looked up under the same name.
    domain.records.filter(purpose__in=PURPOSES).delete()
    record = dkim_record(Purpose.DKIM_NEXT, domain.name, selector=selector, public_key=public)
    DomainRecord.objects.create(
        domain=domain,
        purpose=record.purpose,
        position=POSITIONS[record.purpose],
        kind=record.kind,
        name=record.name,
        expected=record.value,
    )
    return next_key


def advance(domain: Domain, findings: list[Finding], now: datetime) -> list[Finding]:
    """Let the new key sign where its record was found, and return the findings as they read from then on.

    Inside the transaction that writes a check down, on a locked domain.
    """
    found = {finding.record.purpose: finding.judgement.status for finding in findings}
    if found.get(Purpose.DKIM_NEXT) != Result.OK:
        return findings
    keep_until = now + timedelta(days=settings.DKIM_RETIRE_DAYS)
    keys = domain.dkim_keys
    keys.filter(state=DkimKey.State.SIGNING).update(state=DkimKey.State.RETIRING, keep_until=keep_until)
    keys.filter(state=DkimKey.State.NEXT).update(state=DkimKey.State.SIGNING)
    domain.records.filter(purpose=Purpose.DKIM_OLD).delete()
    for before, after in reversed(_MOVES.items()):
        domain.records.filter(purpose=before).update(purpose=after, position=POSITIONS[after])
    return [_moved(finding) for finding in findings if finding.record.purpose != Purpose.DKIM_OLD]


def clear(domain: Domain, findings: Iterable[Finding]) -> None:
    """Forget the old record once it is gone and no key needs it any more."""
    for finding in findings:
        is_gone = finding.record.purpose == Purpose.DKIM_OLD and finding.judgement.status == Result.FAILED
        if is_gone and not domain.dkim_keys.filter(state=DkimKey.State.RETIRING).exists():
            domain.records.filter(purpose=Purpose.DKIM_OLD).delete()


def retire(now: datetime) -> int:
    """Delete the old keys whose time is over, of all domains; return how many."""
    return DkimKey.objects.filter(state=DkimKey.State.RETIRING, keep_until__lte=now).delete()[0]


def _moved(finding: Finding) -> Finding:
    purpose = _MOVES.get(finding.record.purpose, finding.record.purpose)
    judgement = finding.judgement
    if purpose == Purpose.DKIM_OLD and judgement.reason == "not_found":
        judgement = replace(judgement, reason="dkim_old_gone")
    return Finding(replace(finding.record, purpose=purpose), judgement)
