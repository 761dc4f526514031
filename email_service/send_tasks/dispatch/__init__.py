"""Where the database meets the engine: batches out, outcomes back, and what a dead worker left behind.

The only package that runs `delivery.engine`. One station a worker process: its journal, its engines, its watch.
"""

import threading

from email_service.send_tasks import claims
from email_service.send_tasks.dispatch import station
from email_service.send_tasks.dispatch.shift import Shift
from email_service.send_tasks.dispatch.station import shut_down, stop
from email_service.send_tasks.dispatch.takeover import (
    give_up_silent,
    recover,
    refuse_restored_database,
    resume_after_restore,
)

__all__ = [
    "deliver",
    "deliver_batch",
    "give_up_silent",
    "recover",
    "refuse_restored_database",
    "resume_after_restore",
    "shut_down",
    "stop",
]

SECONDS = 2.0
ENDLESS = 1_000_000
_lock = threading.Lock()


def deliver(*, seconds: float = SECONDS, most: int = ENDLESS, size: int | None = None) -> bool:
    """Deliver batch after batch of the tasks whose turn it is; answer whether there may be more to do now.

    Batches are begun for so many seconds, each of `size` messages or half a second's work; the call returns when all
    of them have ended. Safe to run twice, or
    twice at once: a batch is claimed before it is sent. A second call in one process waits for the first.
    """
    with _lock:
        if station.is_stopping():
            return False
        here = station.current()
        station.look_at_database(here)
        here.is_settled = False  # until all is well: a claim may stand though its answer was lost
        shift = Shift(here, seconds=seconds, most=most, size=size)
        try:
            shift.work()
        except BaseException:
            station.leave(here)
            raise
        here.is_settled = True
        if shift.found:
            here.pulse.beat()
        else:
            here.pulse.rest()
            here.counting.after(None)
    return shift.found


def deliver_batch() -> bool:
    """Deliver one batch."""
    return deliver(most=1, size=claims.BATCH)
