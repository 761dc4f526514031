"""Who uses a domain: sections above register a question here, as imports may not lead upwards."""

from collections.abc import Callable

from email_service.domains.models import Domain
from koomessage.common.errors import RuleViolation

# Returns the refusal that says what uses the domain and what to do, None where nothing does.
Use = Callable[[Domain], RuleViolation | None]
_uses: list[Use] = []


def add_use(use: Use) -> None:
    """Ask this too before a domain is renamed or deleted (called from an AppConfig)."""
    if use not in _uses:
        _uses.append(use)


def find_use(domain: Domain) -> RuleViolation | None:
    """Return the first refusal that says who uses the domain."""
    return next((refusal for use in _uses if (refusal := use(domain))), None)
