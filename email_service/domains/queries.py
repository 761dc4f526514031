"""What pages and other sections read of the domains."""

from dataclasses import dataclass
from datetime import datetime

from email_service.domains import differences, names, spf
from email_service.domains.differences import Piece
from email_service.domains.models import DkimKey, Domain, DomainRecord
from email_service.domains.reasons import explain
from email_service.domains.records import NEEDED, Purpose
from iam.models import Tenant

# Reasons for which the published value stands beside the expected one, piece by piece.
COMPARED = (
    "differs", "value_doubled", "quoted", "not_dkim", "dkim_differs", "dkim_revoked", "dkim_limited",
)  # fmt: skip
# Reasons for which what is published must stay, and only lacks the platform.
COMPLETED = ("two_spf", "spf_without_include", "spf_include_too_late")


@dataclass(frozen=True, slots=True)
class RecordLine:
    """One line of 验证详情: `marks` shows the current value's faults, `suggestion` what to publish instead."""

    purpose: str
    kind: str
    name: str
    expected: str
    current: str
    status: str
    status_label: str
    reason: str
    is_advisory: bool
    role: str = ""  # next, retiring or removable, of a DKIM key that does not sign
    marks: tuple[Piece, ...] = ()
    suggestion: str = ""
    host: str = ""  # the name as DNS panels ask for it, before the registered domain


def signing_key(domain_id: int) -> DkimKey | None:
    """Return the key that signs new mail of the domain."""
    return DkimKey.objects.filter(domain_id=domain_id, state=DkimKey.State.SIGNING).first()


def takes_bounces(domain_id: int) -> bool:
    """Say whether mail to the domain comes to the platform alone, and the platform may send in its name."""
    rows = {row.purpose: row for row in DomainRecord.objects.filter(domain=domain_id)}
    mx, spf_record = rows.get(Purpose.MX), rows.get(Purpose.SPF)
    if mx is None or spf_record is None:
        return False
    is_ours = mx.current.lower() == mx.expected.lower().rstrip(".")
    return is_ours and mx.status == spf_record.status == DomainRecord.Status.OK


@dataclass(frozen=True, slots=True)
class Keys:
    """A domain's DKIM keys: which signs, which comes next, which is kept; `may_rotate` where neither is there."""

    signing: DkimKey | None
    next: DkimKey | None
    retiring: DkimKey | None
    may_rotate: bool


def keys_of(domain: Domain) -> Keys:
    keys = {key.state: key for key in domain.dkim_keys.defer("private_key")}
    return Keys(
        keys.get(DkimKey.State.SIGNING),
        keys.get(DkimKey.State.NEXT),
        keys.get(DkimKey.State.RETIRING),
        domain.is_verified and len(keys) == 1,
    )


def record_lines(domain: Domain, keys: Keys) -> list[RecordLine]:
    old = "retiring" if keys.retiring else "removable"
    roles = {Purpose.DKIM_NEXT: "next", Purpose.DKIM_OLD: old}
    return [_line(record, roles.get(Purpose(record.purpose), "")) for record in domain.records.all()]


def _line(record: DomainRecord, role: str) -> RecordLine:
    is_failed = record.status == DomainRecord.Status.FAILED
    suggestion = _completed(record) if is_failed and record.reason in COMPLETED else ""
    target = suggestion or (record.expected if is_failed and record.reason in COMPARED else "")
    # Of several published values none is the one to compare with.
    is_single = bool(record.current) and "\n" not in record.current and " → " not in record.current
    return RecordLine(
        purpose=record.purpose,
        kind=record.kind,
        name=record.name,
        expected=record.expected,
        current=record.current,
        status=record.status,
        status_label=record.get_status_display(),
        reason=explain(record.reason, record.reason_values),
        is_advisory=record.purpose not in NEEDED,
        role=role,
        marks=differences.mark(target, record.current, ignores_case=record.kind != "TXT")
        if target and is_single
        else (),
        suggestion=suggestion,
        host=names.host(record.name),
    )


def _completed(record: DomainRecord) -> str:
    """Return what the account's own SPF record should read, with the platform in it."""
    include = record.expected.split()[1].removeprefix("include:")
    return spf.corrected([text for text in record.current.split("\n") if spf.is_policy(text)], include)


@dataclass(frozen=True, slots=True)
class Loss:
    """Records of a verified domain that are gone: which, since when, and when new tasks are refused."""

    domain: Domain
    records: tuple[str, ...]
    since: datetime
    blocks_at: datetime
    is_blocked: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """A name that is proved here while another account holds it; `freed_at` where that one is losing it."""

    freed_at: datetime | None


def losses_of(tenant: Tenant) -> list[Loss]:
    """Return what every page about sending warns of."""
    lost = Domain.objects.for_tenant(tenant).lost().order_by("lost_since")
    return [loss for domain in lost.prefetch_related("records") if (loss := loss_of(domain))]


def loss_of(domain: Domain) -> Loss | None:
    if domain.lost_since is None:
        return None
    gone = [
        row
        for row in domain.records.all()
        if row.purpose in NEEDED and row.status == DomainRecord.Status.FAILED
    ]
    return Loss(
        domain=domain,
        records=tuple(f"{row.kind} {row.name}" for row in gone),
        since=domain.lost_since,
        blocks_at=domain.lost_since + domain.grace(),
        is_blocked=domain.is_blocked,
    )


def claim_on(domain: Domain) -> Claim | None:
    """Return how a claim stands, None where all is free; whose the name is stays unsaid."""
    if domain.claimed_at is None or domain.is_verified:
        return None
    holder = Domain.objects.verified().filter(name=domain.name).exclude(pk=domain.pk).first()
    return Claim(holder.blocks_at) if holder is not None else None


def choices_for(tenant: Tenant) -> list[tuple[str, str]]:
    """Return the account's verified domains for a select field."""
    rows = Domain.objects.for_tenant(tenant).verified().order_by("display_name")
    return [(str(pk), name) for pk, name in rows.values_list("pk", "display_name")]


def count_for(tenant: Tenant) -> int:
    return Domain.objects.for_tenant(tenant).count()
