"""The mail as it was sent: who makes mails registers here how, as imports may not lead upwards."""

from collections.abc import Callable

from email_service.send_details.models import Message

# Makes the mail once more, byte for byte but for the signature. Raises RuleViolation where it cannot.
Source = Callable[[Message], bytes]
_sources: list[Source] = []


def add_source(source: Source) -> None:
    """Ask this for the source of messages (called from an AppConfig)."""
    if source not in _sources:
        _sources.append(source)


def source_of(message: Message) -> bytes:
    return _sources[0](message)
