"""What pages and other sections read of the domains."""

from dataclasses import dataclass

from email_service.domains.models import DkimKey, Domain
from email_service.domains.reasons import explain
from email_service.domains.records import Purpose
from iam.models import Tenant


@dataclass(frozen=True, slots=True)
class RecordLine:
    """One line of 验证详情."""

    purpose: str
    kind: str
    name: str
    expected: str
    current: str
    status: str
    status_label: str
    reason: str
    is_advisory: bool


def signing_key(domain_id: int) -> DkimKey | None:
    """Return the key that signs new mail of the domain."""
    return DkimKey.objects.filter(domain_id=domain_id, is_active=True).first()


def record_lines(domain: Domain) -> list[RecordLine]:
    return [
        RecordLine(
            purpose=record.purpose,
            kind=record.kind,
            name=record.name,
            expected=record.expected,
            current=record.current,
            status=record.status,
            status_label=record.get_status_display(),
            reason=explain(record.reason, record.reason_values),
            is_advisory=record.purpose == Purpose.MX,
        )
        for record in domain.records.all()
    ]


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
