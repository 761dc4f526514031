"""How fast one destination takes our mail, learned from its replies. Pure: the time comes in."""

from collections import deque

FIRST_PAUSE = 5.0
LONGEST_PAUSE = 600.0
SLOWEST = 0.1
UNHURRIED = 2.0  # messages a second, where a destination complains before anything is known of it
FAST_ENOUGH = 100.0
_WINDOW = 50


class Tempo:
    """Halved by every throttle, raised slowly by every success, back to its cap in the end."""

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self.rate = float("inf")
        self.paused_until = 0.0
        self._connections = float(cap)
        self._pause = FIRST_PAUSE
        self._next_at = 0.0
        self._accepted: deque[float] = deque(maxlen=_WINDOW)

    @property
    def connections(self) -> int:
        return max(1, int(self._connections))

    def ready_at(self) -> float:
        """Answer from when on the next message may be begun."""
        return max(self.paused_until, self._next_at)

    def take(self, now: float) -> bool:
        """Take the right to begin one message, if there is one now."""
        if now < self.ready_at():
            return False
        if self.rate != float("inf"):
            self._next_at = max(now, self._next_at) + 1 / self.rate
        return True

    def throttled(self, now: float) -> None:
        """Halve and pause. What comes in during the pause answers what was begun before it: heard once."""
        if now < self.paused_until:
            return
        self._connections = max(1.0, self._connections / 2)
        self.rate = max(SLOWEST, min(self.rate, self._measured(now), FAST_ENOUGH) / 2)
        self.paused_until = now + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        self._accepted.clear()

    def succeeded(self, now: float) -> None:
        self._accepted.append(now)
        self._connections = min(float(self.cap), self._connections + 0.1 / self._connections)
        self.rate *= 1.02
        if self.rate > FAST_ENOUGH:
            self.rate = float("inf")
        self._pause = max(FIRST_PAUSE, self._pause * 0.9)

    def _measured(self, now: float) -> float:
        if len(self._accepted) < 2:
            return UNHURRIED
        return len(self._accepted) / max(now - self._accepted[0], 0.1)
