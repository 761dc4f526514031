"""The audit log: services write one line for each decision of a person."""

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
