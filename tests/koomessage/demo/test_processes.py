"""The demo's process group stops as one, and leaves nobody behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from koomessage.demo.processes import Child, ChildEnded, Group

SLEEPER = (
    "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
    "print('up', flush=True); time.sleep(60)"
)
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


def make_child(folder: Path, name: str, source: str, *, grace: float = 5.0) -> Child:
    log = folder / f"{name}.log"
    log.touch()
    return Child(
        name, [sys.executable, "-u", "-c", source], log, lambda: "up" in log.read_text(), grace=grace
    )


def is_running(session: int) -> bool:
    """True while any process of the child's session is there."""
    rows = subprocess.run(["ps", "-eo", "sess=,stat="], capture_output=True, text=True, check=True).stdout
    return any(
        row.split()[0] == str(session) and not row.split()[1].startswith("Z") for row in rows.splitlines()
    )


def test_stopping_ends_every_child_and_its_children(tmp_path: Path):
    group = Group(print)
    group.start(make_child(tmp_path, "a", SLEEPER), make_child(tmp_path, "b", SLEEPER))
    sessions = [child.process.pid for child in group.children if child.process]
    assert all(map(is_running, sessions))

    group.stop()

    assert not any(map(is_running, sessions))


def test_who_does_not_listen_is_ended_after_its_time(tmp_path: Path):
    group = Group(print)
    group.start(make_child(tmp_path, "deaf", STUBBORN, grace=0.3))
    session = group.children[0].process.pid  # type: ignore[union-attr]

    group.stop()

    assert not is_running(session)


def test_a_child_that_ends_by_itself_is_reported_with_the_end_of_its_log(tmp_path: Path):
    group = Group(print)
    try:
        group.start(
            make_child(
                tmp_path,
                "short",
                "print('up', flush=True); import time; time.sleep(0.5); raise SystemExit('out of luck')",
            )
        )
        with pytest.raises(ChildEnded) as ended:
            group.watch()
    finally:
        group.stop()

    assert "short ended by itself (exit code 1)" in str(ended.value)
    assert "[short] out of luck" in str(ended.value)


def test_a_child_that_never_answers_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("koomessage.demo.processes.START_WITHIN", 0.5)
    group = Group(print)
    try:
        with pytest.raises(ChildEnded, match="silent does not answer"):
            group.start(make_child(tmp_path, "silent", "import time; time.sleep(60)"))
    finally:
        group.stop()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_watch(tmp_path: Path, number: int):
    group = Group(print)
    with group.signals():
        group.start(make_child(tmp_path, "a", SLEEPER))
        threading.Timer(0.3, os.kill, (os.getpid(), number)).start()

        group.watch()
        group.stop()

    assert group.children == []


def test_errors_in_a_log_are_shown(tmp_path: Path):
    said: list[str] = []
    group = Group(said.append)
    noisy = "print('up', flush=True); import time; print('x ERROR y went wrong', flush=True); time.sleep(60)"
    with group.signals():
        group.start(make_child(tmp_path, "noisy", noisy))
        threading.Timer(0.9, os.kill, (os.getpid(), signal.SIGTERM)).start()
        group.watch()
        group.stop()

    assert "[noisy] x ERROR y went wrong" in said


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_children_end_with_a_demo_that_is_killed(tmp_path: Path):
    script = (
        "import sys, time; from pathlib import Path\n"
        "from koomessage.demo.processes import Child, Group\n"
        f"log = Path({str(tmp_path)!r}) / 'c.log'; log.touch(); g = Group(print)\n"
        "g.start(Child('c', [sys.executable, '-c', 'import time; time.sleep(60)'], log, lambda: True))\n"
        "print(g.children[0].process.pid, flush=True); time.sleep(60)"
    )
    demo = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert demo.stdout is not None
    session = int(demo.stdout.readline())
    assert is_running(session)

    demo.kill()
    demo.wait()
    demo.stdout.close()

    deadline = time.monotonic() + 5
    while is_running(session) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(session)
