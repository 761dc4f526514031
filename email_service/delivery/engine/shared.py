"""What all pools of one engine have in common: the journal, the state of the run, the syncs to disk."""

import asyncio
from collections.abc import Callable

from email_service.delivery.engine.journal import Journal
from email_service.delivery.engine.wire import Timeouts


class Shared:
    """Lives in the loop's thread; `is_stopped` and `on_failure` are set before a run by the caller's."""

    def __init__(self, journal: Journal, *, timeouts: Timeouts, idle: float, hostname: str) -> None:
        self.journal = journal
        self.timeouts = timeouts
        self.idle = idle
        self.hostname = hostname
        self.loop = asyncio.get_running_loop()
        self.connections = 0  # open, or being opened
        self.is_stopped = False
        self.on_failure: Callable[[Exception], None] = lambda error: None
        self.abort: Callable[[str], None] = lambda reason: None
        self._syncing: list[Callable[[], None]] = []
        self._next_sync: list[Callable[[], None]] = []

    def after_sync(self, go_on: Callable[[], None]) -> None:
        """Call back once all that the journal holds now is on disk; one sync serves many."""
        self._next_sync.append(go_on)
        if not self._syncing:
            self._sync()

    def _sync(self) -> None:
        self._syncing, self._next_sync = self._next_sync, []
        task = self.loop.run_in_executor(None, self.journal.sync)
        task.add_done_callback(self._synced)

    def _synced(self, done: asyncio.Future[None]) -> None:
        waiting, self._syncing = self._syncing, []
        error = done.exception()
        if isinstance(error, Exception):
            self.on_failure(error)
            self.abort(f"The journal cannot be written: {error}.")
        else:
            for go_on in waiting:
                go_on()
        if self._next_sync:
            self._sync()
