"""Freeze an account: what stops then is registered by who runs it (email_service/apps.py)."""

from collections.abc import Callable
from dataclasses import dataclass

from iam.models import Tenant, User


@dataclass(frozen=True)
class Brake:
    """How something of an account is stopped and let go; `reason_of` is None while it runs."""

    stop: Callable[[Tenant, User, str], bool]
    let_go: Callable[[Tenant, User], bool]
    reason_of: Callable[[Tenant], str | None]


_brakes: list[Brake] = []


def add_brake(brake: Brake) -> None:
    _brakes.append(brake)


def brakes() -> tuple[Brake, ...]:
    return tuple(_brakes)


def reason_of(tenant: Tenant) -> str | None:
    """Return why the account is frozen; None where it is not."""
    return next((reason for brake in _brakes if (reason := brake.reason_of(tenant)) is not None), None)
