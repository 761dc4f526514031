"""The power fails: what SQLite has of the last commits is what was brought to the disk (F-15).

The disk is modelled by copies of the files as they were at each one's last fsync, which a library preloaded into the
process makes; what was written later is lost. FULL keeps every commit; NORMAL, shown beside, does not.
"""

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.email_service.delivery.peer import Peer
from tests.faults.house import House, copies

pytestmark = pytest.mark.faults
DISK = Path(__file__).with_name("disk.c")
WRITER = Path(__file__).with_name("outcomes_told.py")


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A library that copies a file of whoever is started with it to SYNCED_TO whenever it is brought to the disk."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("a C compiler makes the disk that forgets")
    library = tmp_path_factory.mktemp("disk") / "disk.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(DISK)], check=True)
    return str(library)


def test_f15_after_a_loss_of_power_nothing_that_was_told_is_taken_back(tmp_path: Path, disk: str) -> None:
    lost = {}
    with Peer(tmp_path / "received.txt") as peer:
        first = tmp_path / "first"
        first.mkdir()
        House(first, f"sqlite:///{first / 'db.sqlite3'}").prepare(peer, 30)
        for other in ("", "NORMAL"):
            folder = shutil.copytree(first, tmp_path / f"house{other}")
            house = House(folder, f"sqlite:///{folder / 'db.sqlite3'}")
            told = told_by(house, LD_PRELOAD=disk, other=other)
            assert told[-1][0] == {"tasks": 3, "delivered": 32}
            lost[other] = [said for said, left in told if found_on(left) != said]
        assert set(copies(peer).values()) == {2} and len(copies(peer)) == 32, "each was sent in both rounds"

    assert lost[""] == [], "what was told stands on the disk"
    assert lost["NORMAL"], "the model sees what a weaker setting loses"


def told_by(house: House, *, other: str, **environment: str) -> list[tuple[dict[str, int], Path]]:
    """Return what the process told, each with the disk as the power left it at that moment."""
    synced = house.folder / "synced"
    synced.mkdir()
    shutil.copy(house.folder / "db.sqlite3", synced)
    worker = subprocess.Popen(
        [sys.executable, str(WRITER), other],
        env={**house.environment, **environment, "SYNCED_TO": str(synced)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    house.processes.append(worker)
    assert worker.stdout is not None and worker.stdin is not None
    told: list[tuple[dict[str, int], Path]] = []
    try:
        for number in range(4):
            said = json.loads(worker.stdout.readline())
            told.append((said, shutil.copytree(synced, house.folder / f"disk{number}")))
            worker.stdin.write("\n")
            worker.stdin.flush()
    finally:
        house.end()
    return told


def found_on(left: Path) -> dict[str, int]:
    """Say what the database tells after the power has come back."""
    with closing(sqlite3.connect(left / "db.sqlite3")) as link:
        assert link.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        tasks = link.execute("SELECT count(*) FROM email_service_task").fetchone()[0]
        delivered = "SELECT count(*) FROM email_service_message WHERE status = 'delivered'"
        return {"tasks": tasks, "delivered": link.execute(delivered).fetchone()[0]}
