"""Everything the demo runs, started and stopped as one."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

START_WITHIN = 180.0
TAIL = 25
MARKS = (" ERROR ", " CRITICAL ", "Traceback (most recent call last)", "[ERROR]", "[CRITICAL]")
_die_with_parent = 1  # PR_SET_PDEATHSIG


class ChildEnded(Exception):
    """A process that should run for as long as the demo has ended; the message holds the end of its log."""


@dataclass
class Child:
    """One process: what starts it, how to know that it answers, how long it may take to stop."""

    name: str
    argv: list[str]
    log: Path
    is_ready: Callable[[], bool]
    grace: float = 10.0
    process: "subprocess.Popen[bytes] | None" = None
    batch: int = 0
    _seen: int = 0

    def start(self) -> None:
        # A session of its own: Ctrl-C reaches the demo alone, which stops everybody in order.
        with self.log.open("ab") as log:
            self._seen = log.tell()
            self.process = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509  no threads yet
            )  # fmt: skip

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ask_to_stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def wait_or_kill(self, grace: float) -> None:
        """Wait, then end whatever of its session is left."""
        if self.process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(grace)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def tail(self) -> str:
        lines = (
            self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.is_file() else []
        )
        return "\n".join(f"  [{self.name}] {line}" for line in lines[-TAIL:])

    def new_errors(self) -> Iterator[str]:
        """Yield what the log says of errors since the last call."""
        with self.log.open("rb") as log:
            log.seek(self._seen)
            fresh = log.read()
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._seen += len(whole)
        for line in whole.decode(errors="replace").splitlines():
            if any(mark in line for mark in MARKS):
                yield f"[{self.name}] {line}"


@dataclass
class Group:
    """The children, in the order in which they start; they stop the other way round."""

    say: Callable[[str], object]
    children: list[Child] = field(default_factory=list)
    is_stopping: bool = False
    _may_interrupt: bool = False

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Let Ctrl-C, SIGTERM and a closed terminal stop the group; a second one stops it at once."""
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, self._on_signal) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Work that a signal may break off: nothing is being started in it."""
        self._may_interrupt = True
        try:
            self._leave_if_stopping()
            yield
        finally:
            self._may_interrupt = False

    def start(self, *children: Child) -> None:
        """Start them and wait until each answers. Raises ChildEnded where one ends or stays silent."""
        batch = len(self.children)
        for child in children:
            self._leave_if_stopping()
            child.start()
            child.batch = batch
            self.children.append(child)
        deadline = time.monotonic() + START_WITHIN
        for child in children:
            while not child.is_ready():
                self._leave_if_stopping()
                self._refuse_ended()
                if time.monotonic() > deadline:
                    raise ChildEnded(f"{child.name} does not answer.\n{child.tail()}")
                time.sleep(0.1)

    def watch(self) -> None:
        """Stay until a signal comes, showing errors of the logs. Raises ChildEnded where a child ends."""
        while not self.is_stopping:
            self._refuse_ended()
            self._show_errors()
            time.sleep(0.3)

    def stop(self) -> None:
        """Stop all, those started together at once, the last first; what does not stop in its time is ended."""
        self.is_stopping = True
        for batch in sorted({child.batch for child in self.children}, reverse=True):
            together = [child for child in self.children if child.batch == batch]
            for child in together:
                child.ask_to_stop()
            begun = time.monotonic()
            for child in together:
                child.wait_or_kill(max(0.0, begun + child.grace - time.monotonic()))
        self.children.clear()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.is_stopping:
            for child in self.children:
                child.grace = 0.0
                if child.process is not None and child.process.poll() is None:
                    child.process.kill()
            return
        self.is_stopping = True
        if self._may_interrupt:
            raise KeyboardInterrupt

    def _leave_if_stopping(self) -> None:
        if self.is_stopping:
            raise KeyboardInterrupt

    def _refuse_ended(self) -> None:
        for child in self.children:
            if not child.is_alive:
                code = child.process.returncode if child.process else None
                raise ChildEnded(f"{child.name} ended by itself (exit code {code}).\n{child.tail()}")

    def _show_errors(self) -> None:
        for child in self.children:
            for line in child.new_errors():
                self.say(line)


def _end_with_parent() -> None:
    """Have the kernel end this process when the demo is killed, so that none is left over."""
    ctypes.CDLL(None).prctl(_die_with_parent, signal.SIGTERM)
