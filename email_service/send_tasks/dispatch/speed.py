"""How fast this worker sends, and thus how much it claims at once."""

import time

from email_service.send_tasks.claims import BATCH

LEAST, MOST = 50, 1000
SECONDS = 0.5
LEAST_FEW, FEW_SECONDS = 100, 0.1
_NEW = 0.3  # how much the last batch counts


class Speed:
    def __init__(self) -> None:
        self.per_second = BATCH / SECONDS
        self._ended_at = 0.0

    @property
    def batch(self) -> int:
        """Return how many messages are half a second's work."""
        return min(MOST, max(LEAST, int(self.per_second * SECONDS)))

    @property
    def few(self) -> int:
        """Return how few messages under way leave connections without work before the next batch is claimed."""
        return max(LEAST_FEW, int(self.per_second * FEW_SECONDS))

    def sent(self, count: int, *, since: float) -> None:
        """Take in a batch that has ended; where it waited for the one before, only the time after that is its own."""
        now = time.monotonic()
        spent = now - max(since, self._ended_at)
        self._ended_at = now
        if count >= LEAST // 2:
            self.per_second += _NEW * (count / max(spent, 0.01) - self.per_second)
