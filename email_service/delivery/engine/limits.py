"""What an engine allows itself."""

from dataclasses import dataclass, field

from email_service.delivery.engine.wire import Timeouts


@dataclass(frozen=True, slots=True)
class Limits:
    """How much at once, how long, how often. `connections` None: as the relay says.

    Sending directly, a destination that shows no sign of life for `patience` seconds, or has not
    begun a message after `longest_wait`, holds the batch up no longer.
    """

    connections: int | None = None
    timeouts: Timeouts = field(default_factory=Timeouts)
    report_every: float = 1.0
    report_size: int = 250
    idle: float = 30.0
    grace: float = 60.0
    patience: float = 20.0
    longest_wait: float = 60.0
    all_connections: int = 400
