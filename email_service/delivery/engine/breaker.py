"""Leaves a server that refuses everybody alone for a while, longer each time."""

from dataclasses import dataclass

from email_service.delivery.replies import Verdict, classify

_SHORTEST = 2.0
_LONGEST = 60.0
_TROUBLES = 3


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the server is left alone."""

    text: str
    code: int = 0
    enhanced: str = ""
    host: str = ""
    is_final: bool = False  # no later attempt will find another answer

    @property
    def verdict(self) -> Verdict:
        """A server that refuses us says nothing against the message: later, or slower."""
        if self.is_final:
            return Verdict.FAILED
        if classify(self.code, self.enhanced, self.text) is Verdict.THROTTLED:
            return Verdict.THROTTLED
        return Verdict.DEFERRED


class Breaker:
    def __init__(self) -> None:
        self._until = 0.0
        self._wait = _SHORTEST
        self._troubles = 0
        self._trouble: Trouble | None = None

    def trouble_at(self, now: float) -> Trouble | None:
        """Answer why nothing may be tried now, or None."""
        return self._trouble if now < self._until else None

    def trip(self, trouble: Trouble, now: float) -> None:
        self._trouble = trouble
        self._until = now + self._wait
        self._wait = min(self._wait * 2, _LONGEST)
        self._troubles = 0

    def note(self, trouble: Trouble, now: float) -> bool:
        """Count a connection the server ended; several in a row without a success trip."""
        self._troubles += 1
        if self._troubles < _TROUBLES:
            return False
        self.trip(trouble, now)
        return True

    def reset(self) -> None:
        self._wait = _SHORTEST
        self._troubles = 0
        self._until = 0.0
