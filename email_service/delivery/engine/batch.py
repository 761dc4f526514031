"""One call of `deliver`: which messages are out, which outcomes are still to be told."""

import threading
from collections import deque

from email_service.delivery.envelopes import Claim, Outcome
from email_service.delivery.replies import Verdict
from email_service.delivery.routing import Guard


class DeliveryBatch:
    """Filled by the engine's thread with `report`, emptied by the caller's with `collect`."""

    def __init__(self, claim: Claim, guard: Guard, report_size: int) -> None:
        self.token = claim.token
        self.guard = guard
        self.unfed = set(claim.message_ids)
        self.missing = set(claim.message_ids)
        self.withheld: list[int] = []
        self.failure: Exception | None = None
        self._report_size = report_size
        # Each counter is written by one thread alone.
        self._begun = 0
        self._ended = 0
        self._octets_begun = 0
        self._octets_ended = 0
        self._sizes: dict[int, int] = {}
        self._outcomes: deque[Outcome] = deque()
        self._news = threading.Event()
        self._wake_at = 0

    @property
    def under_way(self) -> int:
        """How many messages were handed over and have no outcome yet."""
        return self._begun - self._ended

    @property
    def octets(self) -> int:
        """How much of memory those messages take."""
        return self._octets_begun - self._octets_ended

    @property
    def untold(self) -> int:
        return len(self._outcomes)

    def expect(self, message_id: int) -> None:
        """Note that the message's envelope came; ValueError when it is not of the claim, or came before."""
        if message_id not in self.unfed:
            raise ValueError(f"Message {message_id} is not in the claim, or has come already.")
        self.unfed.discard(message_id)

    def begin(self, message_id: int, octets: int) -> None:
        self._sizes[message_id] = octets
        self._octets_begun += octets
        self._begun += 1

    def report(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)
        self._octets_ended += self._sizes.pop(outcome.message_id)
        self._ended += 1
        if self._begun - self._ended <= self._wake_at:
            self._news.set()

    def tell(self, outcome: Outcome) -> None:
        """Add an outcome the caller's own thread came to, of a message that was never handed over."""
        self._outcomes.append(outcome)

    def fail(self, error: Exception) -> None:
        if self.failure is None:
            self.failure = error
        self._news.set()

    def wait(self, seconds: float, *, until: int) -> None:
        """Sleep until no more than so many are under way, the batch has failed, or the time is over."""
        self._wake_at = until
        if self.under_way > until:
            self._news.wait(seconds)
        self._news.clear()

    def collect(self) -> list[Outcome]:
        """Answer the next outcomes to tell, at most `report_size`."""
        outcomes: list[Outcome] = []
        while self._outcomes and len(outcomes) < self._report_size:
            outcome = self._outcomes.popleft()
            self.missing.discard(outcome.message_id)
            if outcome.verdict is Verdict.WITHHELD:
                self.withheld.append(outcome.message_id)
            outcomes.append(outcome)
        return outcomes
