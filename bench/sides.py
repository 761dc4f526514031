"""A program under test in a process of its own: commands in, one line of JSON back for each."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


class Side:
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ask(self, *words: object) -> dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"{self._process.args} ended before it answered.")
        return json.loads(answer)


@contextmanager
def running(*command: str | Path, **environment: str) -> Iterator[Side]:
    process = subprocess.Popen(
        list(map(str, command)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
    )
    try:
        yield Side(process)
        assert process.stdin
        process.stdin.close()
        process.wait(60)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@contextmanager
def house(address: str, folder: Path, module: str = "bench.ours") -> Iterator[Side]:
    """A process of ours on this database, which is brought up to date first."""
    settings = {"ENV_FILE": str(ROOT / "tests" / "test.env"), "DATABASE_URL": address}
    settings |= {"DATA_DIR": str(folder / "data"), "LOG_LEVEL": "ERROR"}
    # What migrates is not what is measured.
    with running(sys.executable, "-m", "bench.ours", **settings) as maker:
        maker.ask("migrate")
    with running(sys.executable, "-m", module, **settings) as ours:
        yield ours


def timed(work: Callable[[], object]) -> dict[str, float]:
    """Do the work; return its seconds by the clock, by this process's CPU, and the memory it took and takes."""
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    work()
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": wall, "cpu": cpu, "peak_mb": memory_mb("VmHWM"), "now_mb": memory_mb("VmRSS")}


def memory_mb(field: str) -> float:
    """Return this program's own memory: what `getrusage` tells includes the one it was forked from."""
    status = Path("/proc/self/status")
    if status.exists():
        rows = dict(row.split(":", 1) for row in status.read_text().splitlines())
        return int(rows[field].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def obey(commands: dict[str, Callable[..., Any]]) -> None:
    """Do what standard input asks until it ends; the answers alone go to standard output."""
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        name, *arguments = line.split()
        answers.write(json.dumps(commands[name](*arguments)) + "\n")
        answers.flush()
