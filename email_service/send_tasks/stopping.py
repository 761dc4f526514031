"""How a worker's children learn that it is ending, so that they give back what they have not begun.

Celery tells nobody: a child would send its batch to the end first. The children wait at a pipe whose other end
the worker closes; so does the kernel where the worker was killed.
"""

import os
import threading

from celery.signals import (
    worker_init,
    worker_process_init,
    worker_process_shutdown,
    worker_shutdown,
    worker_shutting_down,
)

from email_service.send_tasks import dispatch

_ends: tuple[int, int] | None = None


@worker_init.connect
def _open(**kwargs: object) -> None:
    global _ends  # noqa: PLW0603 - one a worker
    _ends = os.pipe()


@worker_process_init.connect
def _listen(**kwargs: object) -> None:
    global _ends  # noqa: PLW0603
    if _ends is None:
        return  # made while the worker is ending, and given nothing to do
    reading, writing = _ends
    _ends = None
    os.close(writing)
    threading.Thread(target=_wait, args=(reading,), name="stopping", daemon=True).start()


def _wait(descriptor: int) -> None:
    os.read(descriptor, 1)
    dispatch.stop()


@worker_shutting_down.connect
def _tell(**kwargs: object) -> None:
    """Runs in a signal's handler, at every signal."""
    global _ends
    ends, _ends = _ends, None
    if ends is not None:
        os.close(ends[1])
    dispatch.stop()


@worker_process_shutdown.connect
@worker_shutdown.connect
def _close(**kwargs: object) -> None:
    dispatch.shut_down()
