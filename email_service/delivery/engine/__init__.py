"""THE ENGINE: messages in, outcomes out. Only `send_tasks.dispatch` imports it."""

from email_service.delivery.engine.delivery import Delivery
from email_service.delivery.engine.engine import Engine
from email_service.delivery.engine.journal import (
    Journal,
    JournalUnwritable,
    Replay,
    Untouched,
    abandoned,
    high_water,
    replay,
)
from email_service.delivery.engine.limits import Limits
from email_service.delivery.engine.wire import Timeouts

__all__ = [
    "Delivery",
    "Engine",
    "Journal",
    "JournalUnwritable",
    "Limits",
    "Replay",
    "Timeouts",
    "Untouched",
    "abandoned",
    "high_water",
    "replay",
]
