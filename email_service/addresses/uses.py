"""Who uses a sender address: sections above register a question here, as imports may not lead upwards."""

from collections.abc import Callable

from email_service.addresses.models import Address
from koomessage.common.errors import RuleViolation

# Returns the refusal that says what uses the address and what to do, None where nothing does.
Use = Callable[[Address], RuleViolation | None]
_uses: list[Use] = []


def add_use(use: Use) -> None:
    """Ask this too before an address is deleted (called from an AppConfig)."""
    if use not in _uses:
        _uses.append(use)


def find_use(address: Address) -> RuleViolation | None:
    """Return the first refusal that says who uses the address."""
    return next((refusal for use in _uses if (refusal := use(address))), None)
