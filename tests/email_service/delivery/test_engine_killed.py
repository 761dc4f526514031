"""Workers are killed at any moment; the receiving side alone says what arrived."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from email_service.delivery.engine import abandoned, high_water, replay
from email_service.delivery.replies import Verdict
from tests.email_service.delivery.peer import KeepAndCut, Peer
from tests.email_service.delivery.senders import address

MESSAGES = 3000
PROGRAM = """
import sys
from pathlib import Path
from email_service.delivery.engine import Engine, Journal, Limits
from email_service.delivery.envelopes import Claim
from email_service.delivery.routing import Relay
from tests.email_service.delivery.senders import make_envelope

folder, port, token = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
ids = [int(row) for row in sys.stdin.read().split()]
engine = Engine(Journal.open(folder, "worker"), Relay("127.0.0.1", port, connections=3), Limits(report_every=0.05))
for start in range(0, len(ids), 100):
    some = tuple(ids[start : start + 100])
    with (folder / "recorded").open("a") as recorded:
        def record(outcomes):
            rows = (f"{outcome.message_id} {outcome.verdict} {int(outcome.in_doubt)}\\n" for outcome in outcomes)
            recorded.write("".join(rows))
            recorded.flush()
        engine.deliver(
            Claim(token, some), map(make_envelope, some), guard=lambda envelope: True, on_outcomes=record
        )
    token += 1
engine.close(5)
"""


def test_nothing_is_lost_and_every_second_copy_was_recorded_as_in_doubt(tmp_path):
    folder = tmp_path / "journal"
    folder.mkdir()
    (folder / "recorded").touch()
    chance = random.Random(7)
    lose = random.Random(8)
    pending = set(range(MESSAGES))
    doubts: Counter[int] = Counter()
    token, kills = 1, 0

    def script(session, stage, argument):
        return KeepAndCut() if stage == "dot" and lose.random() < 0.002 else None

    with Peer(tmp_path / "log", script) as peer:
        until = time.monotonic() + 180
        while pending and time.monotonic() < until:
            killed = run_worker(folder, peer.port, token, sorted(pending), chance.uniform(0.03, 0.2))
            kills += killed
            ended, in_doubt = apply(folder)
            doubts.update(in_doubt)
            pending -= ended
            token = high_water(folder) + 1

    copies = Counter(recipient for _, recipient in peer.received)
    assert pending == set()
    assert kills >= 2
    assert all(copies[address(number)] >= 1 for number in range(MESSAGES))
    assert all(copies[address(number)] - 1 <= doubts[number] for number in range(MESSAGES))
    assert list(abandoned(folder)) == []


def run_worker(folder: Path, port: int, token: int, ids: list[int], seconds: float) -> bool:
    """Let a worker send what is pending, and kill it after a while; say whether that was needed."""
    worker = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder), str(port), str(token)],
        stdin=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        text=True,
    )
    worker.stdin.write("\n".join(map(str, ids)))
    worker.stdin.close()
    began = time.monotonic() + 30
    while not any(folder.glob("*.journal")) and worker.poll() is None and time.monotonic() < began:
        time.sleep(0.01)
    try:
        worker.wait(seconds)
    except subprocess.TimeoutExpired:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        return True
    assert worker.returncode == 0
    return False


def apply(folder: Path) -> tuple[set[int], list[int]]:
    """What is delivered by now, and what is in doubt anew: from the record, then from the journals."""
    rows = [
        row.split()
        for row in (folder / "recorded").read_text().splitlines(keepends=True)
        if row.endswith("\n")
    ]
    (folder / "recorded").write_text("")
    ended = {int(number) for number, verdict, _ in rows if verdict == Verdict.DELIVERED}
    recorded = {int(number) for number, _, _ in rows}
    in_doubt = [int(number) for number, _, doubtful in rows if doubtful == "1"]
    for journal in abandoned(folder):
        found = replay(journal)
        ended |= {outcome.message_id for outcome in found.replies if outcome.verdict == Verdict.DELIVERED}
        in_doubt += [doubt.message_id for doubt in found.in_doubt if doubt.message_id not in recorded]
        journal.remove()
    return ended, in_doubt
