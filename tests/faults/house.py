"""A house of its own for an experiment: database, journals, workers that can be killed; and the receiver's oracle."""

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import openpyxl
import psycopg
import xlsxwriter

from tests.email_service.delivery.peer import Peer

SCRIPT = Path(__file__).with_name("chaos.py")
SUPPRESSED = ("gone1@qq.com", "gone2@qq.com")
Found = dict[str, Any]


def wait_for(condition: Callable[[], object], seconds: float = 30, what: str = "") -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what or "It did not happen in time."
        time.sleep(0.02)


def write_sheet(path: Path, messages: int, name: str = "r") -> None:
    """So many recipients, and rows that become no message: spelt twice, suppressed, no address."""
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet()
        rows = [f"{name}{number}@qq.com" for number in range(messages)]
        rows += [f"{name.upper()}{number}@QQ.com" for number in range(0, min(100, messages), 5)]
        rows += [*SUPPRESSED, "nobody", "a@@qq.com", ""]
        random.Random(7).shuffle(rows)
        page.write_column(0, 0, ["email", *rows])


def wanted(path: Path) -> set[str]:
    """Whom the sheet names, read by another parser than the product's."""
    page = openpyxl.load_workbook(path, read_only=True).worksheets[0]
    cells = {str(row[0] or "").strip().lower() for row in page.iter_rows(min_row=2, values_only=True) if row}
    return {cell for cell in cells if re.fullmatch(r"[a-z0-9]+@[a-z.]+", cell)} - set(SUPPRESSED)


@dataclass
class House:
    """Folder, database and waiting times of an experiment; everything it starts, it ends."""

    folder: Path
    database: str
    broker: str = "memory://"
    settings: dict[str, str] = field(default_factory=dict)
    processes: list["subprocess.Popen[Any]"] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DATA_DIR": str(self.folder / "data"),
            "MEDIA_ROOT": str(self.folder / "media"),
            "DATABASE_URL": self.database,
            "CELERY_BROKER_URL": self.broker,
            "CELERY_TASK_ALWAYS_EAGER": "false",
            "LOG_LEVEL": "WARNING",
            "RETRY_FIRST_SECONDS": "0.2",
            "HOST_SILENT_SECONDS": "600",
            "READING_LEASE_SECONDS": "1",
            "SWEEP_SECONDS": "1",
            **self.settings,
        }

    @property
    def sheet(self) -> Path:
        return self.folder / "all.xlsx"

    @property
    def errors(self) -> str:
        path = self.folder / "errors"
        return path.read_text() if path.exists() else ""

    @property
    def is_finished(self) -> bool:
        return (self.folder / "finished").exists()

    def prepare(self, peer: Peer, messages: int, *, units: int | None = None) -> None:
        """Submit a sheet of so many recipients as one task whose mail goes to the peer."""
        write_sheet(self.sheet, messages)
        paid = str(messages if units is None else units)
        self.run("prepare", str(self.folder), str(peer.port), paid, *SUPPRESSED)

    def run(self, *arguments: str, seconds: float = 300, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, str(SCRIPT), *arguments],
            env={**self.environment, **environment},
            capture_output=True,
            check=False,
            text=True,
            timeout=seconds,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def report(self) -> Found:
        return json.loads(self.run("report", str(self.folder)).splitlines()[-1])

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the database, beside everybody who works with it."""
        if self.database.startswith("sqlite:///"):
            with closing(sqlite3.connect(self.database.removeprefix("sqlite:///"), timeout=20)) as link:
                return link.execute(statement).fetchall()
        with psycopg.connect(self.database, autocommit=True) as connected:
            return connected.execute(statement).fetchall()

    def start(
        self, *arguments: str, log: str = "log", group: int | None = None, **environment: str
    ) -> "subprocess.Popen[bytes]":
        """Start a process in a session of its own, or in a process group; what it says is in the folder."""
        with (self.folder / log).open("ab") as said:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                env={**self.environment, **environment},
                stdout=said,
                stderr=said,
                start_new_session=group is None,
                process_group=group,
            )
        self.processes.append(process)
        return process

    def celery(
        self, *arguments: str, log: str = "worker", group: int | None = None, **environment: str
    ) -> "subprocess.Popen[bytes]":
        program = ["-m", "celery", "-A", "tests.faults.celery_app"]
        return self.start(*program, *arguments, log=log, group=group, **environment)

    def worker(self, name: str = "w", *, children: int = 2, **environment: str) -> "subprocess.Popen[bytes]":
        """Start a Celery worker that does everything, and wait until it is ready."""
        quiet = ["--without-gossip", "--without-mingle", "--loglevel", "INFO"]
        queues = ["-Q", "console,reading,sending", "-c", str(children), "-n", f"{name}@localhost"]
        ready = self.said(f"worker-{name}").count(" ready.")
        process = self.celery("worker", *queues, *quiet, log=f"worker-{name}", **environment)
        wait_for(
            lambda: self.said(f"worker-{name}").count(" ready.") > ready,
            60,
            f"worker {name} did not start: {self.said(f'worker-{name}')[-2000:]}",
        )
        return process

    def beat(self, name: str = "beat") -> "subprocess.Popen[bytes]":
        schedule = str(self.folder / f"schedule-{name}")
        return self.celery("beat", "--pidfile", "", "-s", schedule, "--loglevel", "INFO", log=name)

    def said(self, log: str) -> str:
        path = self.folder / log
        return path.read_text(errors="replace") if path.exists() else ""

    def end(self) -> None:
        for process in self.processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def children_of(process: "subprocess.Popen[Any]") -> list[int]:
    found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [int(number) for number in found.split()]


def kill(number: int, with_signal: int = signal.SIGKILL) -> None:
    with suppress(ProcessLookupError):  # it may have ended by itself
        os.kill(number, with_signal)


class Forks:
    """Workers forked from one process that has loaded everything."""

    def __init__(self, house: House, count: int, **environment: str) -> None:
        self.parent = subprocess.Popen(
            [sys.executable, str(SCRIPT), "fork", str(house.folder)],
            env={**house.environment, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.kills = 0
        self.workers = [self.new() for _ in range(count)]

    def kill_one(self) -> None:
        victim = random.randrange(len(self.workers))
        kill(self.workers[victim])
        self.kills += 1
        self.workers[victim] = self.new()

    def end(self) -> None:
        for worker in self.workers:
            kill(worker)
        self.parent.kill()
        self.parent.communicate()

    def new(self) -> int:
        said: IO[str] = self.parent.stdout  # type: ignore[assignment]
        self.parent.stdin.write("\n")  # type: ignore[union-attr]
        self.parent.stdin.flush()  # type: ignore[union-attr]
        return int(said.readline())


def copies(peer: Peer) -> Counter[str]:
    return Counter(recipient.lower() for _, recipient in peer.received)


def judge(house: House, peer: Peer, found: Found) -> dict[str, int]:
    """The oracle: what the receiver wrote down against what the database says; return the figures."""
    received = copies(peer)
    delivered = {key for key, status in found["messages"].items() if status == "delivered"}
    named = set().union(*(wanted(path) for path in house.folder.glob("*.xlsx")))
    assert set(found["messages"]) == named, "every valid, distinct, unsuppressed row has a message"
    assert delivered <= set(received), "nothing is called delivered that the peer does not know"
    unsent = set(found["messages"]) - delivered
    assert unsent <= set(found["set_aside"]), "only what killed workers thrice is not sent"
    unexplained = {key: n for key, n in received.items() if n - 1 > found["doubts"].get(key, 0)}
    assert unexplained == {}, "every second copy is explained by an attempt in doubt"
    assert len(set(peer.received)) == len(received), "each copy has its message's one Message-ID"
    assert (set(found["tasks"]), found["claimed"]) == ({"finished"}, 0)
    assert (found["charged"], found["still_reserved"]) == (found["due"], 0)
    assert found["integrity"] == ""
    return {
        "messages": len(found["messages"]),
        "lost": len(unsent),
        "extra": sum(received.values()) - len(received),
        "in_doubt": sum(found["doubts"].values()),
    }
