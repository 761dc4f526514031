"""`make walk`: start the demo on free ports, and walk the user guide through it as a browser would.

Prints a line per step and one of JSON at the end; ends non-zero where anything is not as it should be.
DATABASE_URL and CELERY_BROKER_URL, where set, are used by the demo that is started.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from koomessage.demo.browser import Browser, NotAsExpected
from koomessage.demo.environment import BASE_DIR
from koomessage.demo.guide import STEPS, Walk

START_WITHIN = 420.0
STOP_WITHIN = 60.0
READY = "Ctrl-C stops everything."


class Demo:
    """`manage.py demo` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said = folder / "demo.out"
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in ("ENV_FILE", "DJANGO_SETTINGS_MODULE")
        }
        self.environment = {
            **kept,
            "DATA_DIR": str(folder),
            "PYTHONUNBUFFERED": "1",
            "REPORT_SECONDS": "3",
            "DEMO_ANY_PORT": "1",
        }
        with self.said.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "demo"],
                cwd=BASE_DIR, env=self.environment, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip

    def wait(self) -> str:
        """Return the console's address once everything answers."""
        deadline = time.monotonic() + START_WITHIN
        while READY not in self.output():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise NotAsExpected("The demo did not start.")
            time.sleep(0.3)
        return next(word for word in self.output().split() if word.startswith("http://"))

    def output(self) -> str:
        return self.said.read_text(encoding="utf-8", errors="replace")

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {**self.environment, "ENV_FILE": str(self.folder / "demo.env")}
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    def stop(self) -> bool:
        """Stop it as Ctrl-C would; False where it had to be killed."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            return False
        return True

    def tails(self) -> str:
        logs = [self.said, *sorted(self.folder.glob("*.log"))]
        ends = (
            (log.name, log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]) for log in logs
        )
        return "\n".join(f"--- {name}\n" + "\n".join(lines) for name, lines in ends)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipients", type=int, default=25, help="rows of the recipient file (default: 25)")
    parser.add_argument(
        "--language", choices=("zh-hans", "en"), default="zh-hans", help="language of the pages"
    )
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="koomessage-walk-"))
    begun = time.monotonic()
    demo = Demo(folder)
    done = 0
    walk = None
    try:
        address = demo.wait()
        _say(0, f"The demo answers at {address}", begun)
        walk = Walk(Browser(address), options.language, options.recipients, demo.manage)
        for step in STEPS:
            said = step(walk)
            done += 1
            _say(done, said, begun)
    except (NotAsExpected, httpx.HTTPError, subprocess.TimeoutExpired, KeyboardInterrupt) as problem:
        where = f"step {done + 1}, {_name(STEPS[done])}" if walk and done < len(STEPS) else "the start"
        print(f"FAILED at {where}: {problem or type(problem).__name__}\n{demo.tails()}", flush=True)
    is_stopped = demo.stop()
    if not is_stopped:
        print("FAILED: the demo did not stop by itself.")
    is_done = done == len(STEPS) and is_stopped
    delivered = walk.delivered if walk else 0
    if is_done:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        print(f"Everything of this run is kept in {folder}.")
    seconds = round(time.monotonic() - begun, 1)
    print(json.dumps({"steps": done, "delivered": delivered, "seconds": seconds}), flush=True)
    return 0 if is_done else 1


def _say(number: int, what: str, begun: float) -> None:
    print(f"{number:>3}  {time.monotonic() - begun:6.1f} s  {what}", flush=True)


def _name(step: Callable[[Walk], str]) -> str:
    return step.__name__.replace("_", " ")


if __name__ == "__main__":
    sys.exit(main())
