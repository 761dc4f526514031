"""Workers killed with -9 while they send: nothing is lost, and every second copy is explained."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.email_service.delivery.peer import Action, Peer, Session, Wait

WORKER = Path(__file__).with_name("worker.py")


class Workers:
    """Processes with a database of their own."""

    def __init__(self, folder: Path) -> None:
        here = {"DATA_DIR": str(folder), "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}"}
        self.environment = {**os.environ, **here, "LOG_LEVEL": "ERROR", "HOST_SILENT_SECONDS": "600"}

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, str(WORKER), *arguments], env=self.environment, stdout=subprocess.PIPE, text=True
        )

    def run(self, *arguments: str) -> str:
        process = self.start(*arguments)
        found, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        return found

    def counts(self) -> dict[str, int]:
        return {word: int(number) for word, number in (row.split() for row in self.run("count").splitlines())}


@pytest.fixture
def workers(tmp_path: Path) -> Workers:
    return Workers(tmp_path)


@pytest.fixture
def slow_peer(tmp_path: Path) -> Iterator[Peer]:
    with Peer(tmp_path / "received.txt") as peer:
        yield peer


def wait_for(condition: object, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_worker_killed_between_mark_and_reply_leaves_one_doubt_a_message(
    workers: Workers, slow_peer: Peer
) -> None:
    workers.run("prepare", str(slow_peer.port), "10")
    slow_peer.script = lambda session, stage, argument: Wait(30) if stage == "dot" else None
    worker = workers.start("work")
    wait_for(lambda: slow_peer.dots)
    os.kill(worker.pid, signal.SIGKILL)
    worker.communicate()

    slow_peer.script = lambda session, stage, argument: None
    workers.run("work")

    found = workers.counts()
    copies = Counter(recipient for _, recipient in slow_peer.received)
    assert set(copies) == {f"r{number}@qq.com" for number in range(10)}, "nobody is lost"
    assert sum(copies.values()) - 10 <= found["doubts"]
    assert found["doubts"] >= 1
    assert (found["delivered"], found["held"], found["unfinished"]) == (10, 0, 0)


def test_workers_killed_again_and_again_lose_nothing(workers: Workers, slow_peer: Peer) -> None:
    workers.run("prepare", str(slow_peer.port), "60")

    def script(session: Session, stage: str, argument: str) -> Action:
        return Wait(0.02) if stage == "dot" else None

    slow_peer.script = script
    for kill in range(3):
        worker = workers.start("work")
        before = slow_peer.dots
        wait_for(
            lambda before=before, worker=worker: slow_peer.dots >= before + 7 or worker.poll() is not None
        )
        worker.kill()
        worker.communicate()
        assert kill >= 0
    workers.run("work")

    found = workers.counts()
    copies = Counter(recipient for _, recipient in slow_peer.received)
    assert len(copies) == 60, "nobody is lost"
    assert sum(copies.values()) - 60 <= found["doubts"]
    assert (found["delivered"], found["held"], found["unfinished"]) == (60, 0, 0)
