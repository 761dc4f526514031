"""Workers killed with -9 twice a second while they read a file and send it: nothing lost, no copy unexplained."""

import json
import logging
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO
from uuid import uuid4

import openpyxl
import psycopg
import pytest
import xlsxwriter
from django.conf import settings

from tests.email_service.delivery.peer import Action, Peer, Session, Wait

pytestmark = pytest.mark.services

logger = logging.getLogger(__name__)
SCRIPT = Path(__file__).with_name("chaos.py")
MESSAGES = 2_000
UNITS = 1_500  # of a package; the rest is pay-as-you-go
WORKERS = 2
KILL_EVERY = 0.5
SLOWEST = 2.0
KILL_FOR = 20.0
GIVE_UP_AFTER = 90.0
SUPPRESSED = ("gone1@qq.com", "gone2@qq.com")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    """The address of an empty database of the suite's kind."""
    here = settings.DATABASES["default"]
    if not here["ENGINE"].endswith("postgresql"):
        yield f"sqlite:///{tmp_path / 'db.sqlite3'}"
        return
    name = f"chaos_{uuid4().hex[:12]}"
    server = {"host": here["HOST"], "port": here["PORT"] or 5432, "user": here["USER"]}
    password = here["PASSWORD"] or None
    with psycopg.connect(**server, password=password, dbname="postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        secret = f":{password}" if password else ""
        yield f"postgresql://{server['user']}{secret}@{server['host']}:{server['port']}/{name}"
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def environment(tmp_path: Path, database: str) -> dict[str, str]:
    return {
        **os.environ,
        "DATA_DIR": str(tmp_path / "data"),
        "DATABASE_URL": database,
        "LOG_LEVEL": "ERROR",
        "RETRY_FIRST_SECONDS": "0.2",
        "HOST_SILENT_SECONDS": "600",
    }


def write_sheet(path: Path) -> None:
    """2,000 recipients, and rows that become no message: spelt twice, suppressed, no address."""
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet()
        rows = [f"r{number}@qq.com" for number in range(MESSAGES)]
        rows += [f"R{number}@QQ.com" for number in range(0, 100, 5)] + [
            *SUPPRESSED,
            "nobody",
            "a@@qq.com",
            "",
        ]
        random.Random(7).shuffle(rows)
        page.write_column(0, 0, ["email", *rows])


def wanted(path: Path) -> set[str]:
    """Whom the sheet names, read by another parser than the product's."""
    page = openpyxl.load_workbook(path, read_only=True).worksheets[0]
    cells = {str(row[0] or "").strip().lower() for row in page.iter_rows(min_row=2, values_only=True) if row}
    return {cell for cell in cells if re.fullmatch(r"[a-z0-9]+@[a-z.]+", cell)} - set(SUPPRESSED)


def run(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        env=environment,
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class Forks:
    """Two workers forked from one process that has loaded everything."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.parent = subprocess.Popen(
            [sys.executable, str(SCRIPT), "fork", str(folder)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.kills = 0
        self.workers = [self._new() for _ in range(WORKERS)]

    def kill_one(self) -> None:
        victim = random.randrange(WORKERS)
        self._kill(self.workers[victim])
        self.kills += 1
        self.workers[victim] = self._new()

    def end(self) -> None:
        for worker in self.workers:
            self._kill(worker)
        self.parent.kill()
        self.parent.communicate()

    def _new(self) -> int:
        said: IO[str] = self.parent.stdout  # type: ignore[assignment]
        self.parent.stdin.write("\n")  # type: ignore[union-attr]
        self.parent.stdin.flush()  # type: ignore[union-attr]
        return int(said.readline())

    @staticmethod
    def _kill(worker: int) -> None:
        with suppress(ProcessLookupError):  # it may have ended by itself
            os.kill(worker, signal.SIGKILL)


def test_workers_killed_twice_a_second_lose_nothing_and_explain_each_copy(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    def script(session: Session, stage: str, argument: str) -> Action:
        return Wait(0.1) if stage == "dot" and is_killing else None

    is_killing = True

    sheet = tmp_path / "all.xlsx"
    write_sheet(sheet)
    with Peer(tmp_path / "received.txt", script) as peer:
        run(environment, "prepare", str(tmp_path), str(peer.port), str(UNITS), *SUPPRESSED)
        forks = Forks(environment, tmp_path)
        began = time.monotonic()
        try:
            while not (tmp_path / "finished").exists():
                assert time.monotonic() - began < GIVE_UP_AFTER, (tmp_path / "errors").read_text()
                before = peer.dots
                time.sleep(KILL_EVERY)
                # A busy machine gets the time to send something: killing those who only begin proves little.
                slow_until = time.monotonic() + SLOWEST
                while peer.dots == before and time.monotonic() < slow_until:
                    time.sleep(0.02)
                is_killing = time.monotonic() - began < KILL_FOR
                if is_killing:
                    forks.kill_one()
        finally:
            forks.end()
        received = peer.received
    seconds = time.monotonic() - began
    found = json.loads(run(environment, "report", str(tmp_path)))
    extra = len(received) - len(set(received))
    logger.warning(
        "%s kills in %.0f s, %s extra, %s in doubt",
        forks.kills,
        seconds,
        extra,
        sum(found["doubts"].values()),
    )
    errors = tmp_path / "errors"
    assert not errors.exists(), errors.read_text()[-5000:]

    copies = Counter(recipient.lower() for _, recipient in received)
    delivered = {key for key, status in found["messages"].items() if status == "delivered"}
    assert forks.kills >= 5
    assert found["doubts"], "some died between a dot and its answer"
    assert set(found["messages"]) == wanted(sheet), (
        "every valid, distinct, unsuppressed recipient has a message"
    )
    assert len(found["messages"]) == MESSAGES
    assert delivered <= set(copies), "nothing is called delivered that the peer does not know"
    assert set(found["messages"]) - delivered <= set(found["set_aside"]), (
        "only what killed workers thrice is not sent"
    )
    unexplained = {key: count for key, count in copies.items() if count - 1 > found["doubts"].get(key, 0)}
    assert unexplained == {}
    assert len(set(received)) == len(copies), "each copy has its message's one Message-ID"
    assert (found["tasks"], found["claimed"]) == (["finished"], 0)
    assert (found["charged"], found["still_reserved"]) == (found["due"], 0)
    assert found["integrity"] == ""
