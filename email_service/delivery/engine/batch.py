"""The messages of one claim: which are under way, which outcomes are still to be told."""

import threading
from collections import deque
from collections.abc import Iterable

from email_service.delivery.engine.attempts import Attempt
from email_service.delivery.envelopes import Claim, Envelope, Outcome
from email_service.delivery.replies import Verdict
from email_service.delivery.routing import Guard


class DeliveryBatch:
    """Filled by the engine's thread with `report`, emptied by the caller's with `collect`.

    `news` is set when there is something for the caller to do: enough to tell, few or none under way, a failure.
    """

    def __init__(
        self, claim: Claim, guard: Guard, report_size: int, *, news: threading.Event, few: int
    ) -> None:
        self.token = claim.token
        self.guard = guard
        self.missing = set(claim.message_ids)
        self.withheld: list[int] = []
        self.failure: Exception | None = None
        self._report_size = report_size
        self._news = news
        self._few = few
        # Each counter is written by one thread alone.
        self._begun = 0
        self._ended = 0
        self._outcomes: deque[Outcome] = deque()

    @property
    def under_way(self) -> int:
        """How many messages were handed over and have no outcome yet."""
        return self._begun - self._ended

    @property
    def untold(self) -> int:
        return len(self._outcomes)

    def attempts(self, envelopes: Iterable[Envelope]) -> list[Attempt]:
        """Answer an attempt for each envelope, to be handed over; ValueError where one is not of the claim."""
        unseen = set(self.missing)
        attempts = []
        for envelope in envelopes:
            if envelope.message_id not in unseen:
                raise ValueError(f"Message {envelope.message_id} is not in the claim, or has come already.")
            unseen.discard(envelope.message_id)
            attempts.append(Attempt(envelope, self))
        self._begun = len(attempts)
        return attempts

    def report(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)
        self._ended += 1
        under_way = self._begun - self._ended
        if under_way in (0, self._few) or len(self._outcomes) == self._report_size:
            self._news.set()

    def tell(self, outcome: Outcome) -> None:
        """Add an outcome the caller's own thread came to, of a message that was never handed over."""
        self._outcomes.append(outcome)

    def fail(self, error: Exception) -> None:
        if self.failure is None:
            self.failure = error
        self._news.set()

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
