"""Who uses a sender address: sections above register a question here, as imports may not lead upwards."""

from collections.abc import Callable

from email_service.addresses.models import Address

# Returns a whole sentence that says what uses the address and what to do, None where nothing does.
Use = Callable[[Address], str | None]
_uses: list[Use] = []


def add_use(use: Use) -> None:
    """Ask this too before an address is deleted (called from an AppConfig)."""
    if use not in _uses:
        _uses.append(use)


def find_use(address: Address) -> str | None:
    """Return the first sentence that says who uses the address."""
    return next((sentence for use in _uses if (sentence := use(address))), None)
