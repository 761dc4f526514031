"""What of a day a sending domain has used: the section that sends knows, and imports may not lead upwards."""

from collections.abc import Callable

from django.db.models import QuerySet

from email_service.setup.models import SenderLimit

# Adds `used` to each limit: how many of today's messages went.
WithUse = Callable[[QuerySet[SenderLimit]], QuerySet[SenderLimit]]
_ways: list[WithUse] = []


def add_use(way: WithUse) -> None:
    """Read it in this way (called from an AppConfig)."""
    if way not in _ways:
        _ways.append(way)


def with_use(limits: QuerySet[SenderLimit]) -> QuerySet[SenderLimit]:
    for way in _ways:
        limits = way(limits)
    return limits
