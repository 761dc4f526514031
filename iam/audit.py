"""The audit log: services write one line for each decision of a person."""

from collections.abc import Iterable
from typing import Any

from iam.models import AuditEntry, Tenant, User


def record(*, tenant: Tenant | None, user: User | None, action: str, target: str = "", **detail: Any) -> None:
    """Add a line to the audit log, inside the caller's transaction. `action` is a policy action."""
    AuditEntry.objects.create(
        tenant=tenant,
        user=user,
        login=user.login if user else "",
        action=action,
        target=target[:255],
        detail=detail,
    )


def record_each(
    targets: Iterable[tuple[Tenant | None, str, dict[str, Any]]], *, user: User | None, action: str
) -> None:
    """Add a line for each (tenant, target, detail) of one decision about many things."""
    AuditEntry.objects.bulk_create(
        AuditEntry(
            tenant=tenant,
            user=user,
            login=user.login if user else "",
            action=action,
            target=target[:255],
            detail=detail,
        )
        for tenant, target, detail in targets
    )
