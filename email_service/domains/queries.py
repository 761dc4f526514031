"""What pages and other sections read of the domains."""

from dataclasses import dataclass

from email_service.domains import differences, spf
from email_service.domains.differences import Piece
from email_service.domains.models import DkimKey, Domain, DomainRecord
from email_service.domains.reasons import explain
from email_service.domains.records import NEEDED
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
    marks: tuple[Piece, ...] = ()
    suggestion: str = ""


def signing_key(domain_id: int) -> DkimKey | None:
    """Return the key that signs new mail of the domain."""
    return DkimKey.objects.filter(domain_id=domain_id, is_active=True).first()


def record_lines(domain: Domain) -> list[RecordLine]:
    return [_line(record) for record in domain.records.all()]


def _line(record: DomainRecord) -> RecordLine:
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
        marks=differences.mark(target, record.current, ignores_case=record.kind != "TXT")
        if target and is_single
        else (),
        suggestion=suggestion,
    )


def _completed(record: DomainRecord) -> str:
    """Return what the account's own SPF record should read, with the platform in it."""
    include = record.expected.split()[1].removeprefix("include:")
    return spf.corrected([text for text in record.current.split("\n") if spf.is_policy(text)], include)


def is_taken(domain: Domain, lines: list[RecordLine]) -> bool:
    """Say whether all records are right and only another account's verified domain stands in the way."""
    if domain.is_verified or any(line.status != "ok" for line in lines if not line.is_advisory):
        return False
    return Domain.objects.verified().filter(name=domain.name).exclude(pk=domain.pk).exists()


def choices_for(tenant: Tenant) -> list[tuple[str, str]]:
    """Return the account's verified domains for a select field."""
    rows = Domain.objects.for_tenant(tenant).verified().order_by("display_name")
    return [(str(pk), name) for pk, name in rows.values_list("pk", "display_name")]


def count_for(tenant: Tenant) -> int:
    return Domain.objects.for_tenant(tenant).count()
