"""The caller's side of one `deliver`: compose, hand over, tell."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Protocol

from email_service.delivery.engine.attempts import STOPPED, Attempt
from email_service.delivery.engine.batch import DeliveryBatch
from email_service.delivery.engine.limits import Limits
from email_service.delivery.engine.office import Way
from email_service.delivery.envelopes import Envelope, Outcome
from email_service.delivery.replies import Verdict
from email_service.delivery.routing import OnOutcomes

_TICK = 0.05


class Backstage(Protocol):
    """The engine, as one run sees it."""

    @property
    def limits(self) -> Limits: ...

    @property
    def way(self) -> Way: ...

    @property
    def is_stopping(self) -> bool: ...

    @property
    def stop_by(self) -> float: ...

    @property
    def waiting(self) -> int: ...

    def put(self, attempt: Attempt) -> None: ...

    def withdraw(self) -> None: ...

    def abort(self, reason: str) -> None: ...

    def set_aside(self, message_ids: tuple[int, ...]) -> None: ...


class Run:
    def __init__(self, engine: Backstage, batch: DeliveryBatch, on_outcomes: OnOutcomes) -> None:
        self._engine = engine
        self._batch = batch
        self._on_outcomes = on_outcomes
        self._limits = engine.limits
        self._told_at = time.monotonic()

    def feed(self, envelopes: Iterable[Envelope]) -> None:
        """Compose and hand over one after the other, never far ahead of the connections."""
        for envelope in envelopes:
            if self._is_full():
                self._make_room()
            if self._must_stop():
                return
            self._batch.expect(envelope.message_id)
            self._hand_over(envelope)
            self._tell_if_due()

    def finish(self) -> None:
        """Wait for the messages that are under way, then tell the rest."""
        is_withdrawn = False
        while self._batch.under_way:
            if self._must_stop() and not is_withdrawn:
                is_withdrawn = True
                self._withdraw()
            if is_withdrawn and self._engine.is_stopping and time.monotonic() >= self._engine.stop_by:
                self._engine.abort(STOPPED)
            self._batch.wait(_TICK, until=0)
            self._tell_if_due()
        self._tell_all()
        self._withhold_missing()
        self._tell_all()
        self._engine.set_aside(tuple(self._batch.withheld))

    def settle(self) -> None:
        """After an error: begin nothing more, and let bodies in flight come to their replies."""
        self._engine.withdraw()
        give_up_at = time.monotonic() + self._limits.grace
        while self._batch.under_way:
            if time.monotonic() >= give_up_at:
                self._engine.abort(STOPPED)
            self._batch.wait(_TICK, until=0)

    def _hand_over(self, envelope: Envelope) -> None:
        message_id, attempt_number = envelope.message_id, envelope.attempt
        trouble = self._engine.way.trouble_for(envelope)
        if trouble is not None:
            self._conclude(
                message_id,
                trouble.verdict,
                trouble.text,
                attempt=attempt_number,
                code=trouble.code,
                enhanced=trouble.enhanced,
                host=trouble.host,
            )
            return
        try:
            attempt = Attempt(envelope, self._batch)
        except ValueError as error:
            text = f"The message cannot be composed: {error}"
            self._conclude(message_id, Verdict.FAILED, text, attempt=attempt_number)
        except Exception as error:
            text = f"The message could not be composed: {error!r}"
            self._conclude(message_id, Verdict.DEFERRED, text, attempt=attempt_number)
        else:
            self._batch.begin(envelope.message_id, len(attempt.mail))
            self._engine.put(attempt)

    def _is_full(self) -> bool:
        waiting = self._engine.waiting
        if waiting == 0:
            return False
        return waiting >= self._limits.waiting_messages or self._batch.octets > self._limits.waiting_octets

    def _make_room(self) -> None:
        """Wait until half of what waits has gone: woken at each reply, this thread would keep the other from work."""
        half = self._limits.waiting_messages // 2
        while self._is_full() and not self._must_stop():
            on_connections = self._batch.under_way - self._engine.waiting
            self._batch.wait(_TICK, until=half + on_connections)
            self._tell_if_due()

    def _must_stop(self) -> bool:
        return self._engine.is_stopping or self._batch.failure is not None

    def _withdraw(self) -> None:
        """Withhold what has not begun, and tell it at once: others may take it."""
        self._engine.withdraw()
        self._tell_all()

    def _withhold_missing(self) -> None:
        for message_id in sorted(self._batch.missing):
            self._conclude(message_id, Verdict.WITHHELD, STOPPED)

    def _conclude(
        self,
        message_id: int,
        verdict: Verdict,
        text: str,
        *,
        attempt: int = 0,
        code: int = 0,
        enhanced: str = "",
        host: str = "",
    ) -> None:
        """Give an outcome to a message that no connection has seen."""
        now = datetime.now(UTC)
        token = self._batch.token
        self._batch.tell(
            Outcome(message_id, token, attempt, verdict, code, enhanced, text, host, "", now, now)
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
