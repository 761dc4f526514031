"""What goes into a transport and what comes out of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from email_service.delivery.replies import Verdict


@dataclass(frozen=True, slots=True)
class Claim:
    """Messages one worker holds under one lease token."""

    token: int
    message_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message to one recipient; `render` makes its bytes when its turn has come.

    `sign`, where there is one, adds what may be computed in another thread.
    `is_transparent`: no line of them begins with a dot and the last one has its end (RFC 5321 section 4.5.2).
    """

    message_id: int
    attempt: int
    sender: str
    recipient: str
    render: Callable[[], bytes]
    sign: Callable[[bytes], bytes] | None = None
    is_transparent: bool = False


@dataclass(slots=True)
class Outcome:
    """How one attempt ended.

    `sent`: the final dot was written, or may have been. `in_doubt`: it was, and no reply came;
    the verdict is then DEFERRED. Code 0: no server said it, `text` tells why.
    """

    message_id: int
    claim_token: int
    attempt: int
    verdict: Verdict
    code: int
    enhanced: str
    text: str
    host: str
    tls: str
    started_at: datetime
    finished_at: datetime
    in_doubt: bool = False
    sent: bool = False
