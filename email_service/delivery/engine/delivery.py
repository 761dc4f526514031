"""The caller's side of one claim that is being delivered: told of, stopped and ended from one thread."""

import threading
import time
from datetime import UTC, datetime
from typing import Protocol

from email_service.delivery.engine.attempts import STOPPED
from email_service.delivery.engine.batch import DeliveryBatch
from email_service.delivery.engine.limits import Limits
from email_service.delivery.envelopes import Outcome
from email_service.delivery.replies import Verdict
from email_service.delivery.routing import OnOutcomes

TICK = 0.05


class Backstage(Protocol):
    """The engine, as one delivery sees it."""

    @property
    def limits(self) -> Limits: ...

    @property
    def is_stopping(self) -> bool: ...

    @property
    def stop_by(self) -> float: ...

    def withdraw(self) -> None: ...

    def abort(self, reason: str) -> None: ...

    def ended(self, batch: DeliveryBatch, *, is_told: bool) -> None: ...


class Delivery:
    """Every message of the claim comes to exactly one outcome, told in lists to `on_outcomes`.

    Made by `Engine.begin`. Call `attend` whenever the news is set, and now and then, until it answers True.
    """

    def __init__(
        self, engine: Backstage, batch: DeliveryBatch, on_outcomes: OnOutcomes, news: threading.Event
    ) -> None:
        self.news = news
        self._engine = engine
        self._batch = batch
        self._on_outcomes = on_outcomes
        self._limits = engine.limits
        self._told_at = time.monotonic()
        self._is_withdrawn = False

    @property
    def under_way(self) -> int:
        """How many of its messages have no outcome yet."""
        return self._batch.under_way

    def attend(self) -> bool:
        """Tell what is due; answer whether all is told and the delivery has ended.

        Whatever `on_outcomes` raises comes out of here, and so does a failure of the engine's own, the latter
        once all is told. After an error `settle` is called; the batch then stays open in the journal, which has
        every reply.
        """
        if self._must_stop():
            self._stop()
        self._tell_if_due()
        if self._batch.under_way:
            return False
        self._tell_all()
        self._withhold_missing()
        self._tell_all()
        self._engine.ended(self._batch, is_told=True)
        if self._batch.failure is not None:
            raise self._batch.failure
        return True

    def finish(self) -> None:
        """Attend until the end."""
        while not self.attend():
            self.news.wait(TICK)
            self.news.clear()

    def settle(self) -> None:
        """After an error: begin nothing more, and let bodies in flight come to their replies."""
        self._engine.withdraw()
        give_up_at = time.monotonic() + self._limits.grace
        while self._batch.under_way:
            if time.monotonic() >= give_up_at:
                self._engine.abort(STOPPED)
            self.news.wait(TICK)
            self.news.clear()
        self._engine.ended(self._batch, is_told=False)

    def _must_stop(self) -> bool:
        return self._engine.is_stopping or self._batch.failure is not None

    def _stop(self) -> None:
        """Withhold what has not begun, and tell it at once: others may take it."""
        if not self._is_withdrawn:
            self._is_withdrawn = True
            self._engine.withdraw()
            self._tell_all()
        elif self._engine.is_stopping and time.monotonic() >= self._engine.stop_by:
            self._engine.abort(STOPPED)

    def _withhold_missing(self) -> None:
        """Give an outcome to the messages of the claim that were never handed over."""
        now, token = datetime.now(UTC), self._batch.token
        for message_id in sorted(self._batch.missing):
            self._batch.tell(
                Outcome(message_id, token, 0, Verdict.WITHHELD, 0, "", STOPPED, "", "", now, now)
            )

    def _tell_if_due(self) -> None:
        untold = self._batch.untold
        if untold >= self._limits.report_size or (
            untold and time.monotonic() - self._told_at >= self._limits.report_every
        ):
            self._tell_all()

    def _tell_all(self) -> None:
        while outcomes := self._batch.collect():
            self._on_outcomes(outcomes)
        self._told_at = time.monotonic()
