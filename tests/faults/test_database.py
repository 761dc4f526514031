"""The database crashes, is restored, is replaced; clocks differ (F-09, F-11, F-13, F-16)."""

import os
import shutil
import signal
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.email_service.delivery.peer import Action, Peer, Session, Wait
from tests.faults.house import Forks, House, copies, judge, kill, wait_for
from tests.faults.servers import Postgres, postgres

pytestmark = pytest.mark.faults
CLOCK = Path(__file__).with_name("clock.c")
WEB = str(Path(__file__).with_name("web.py"))
TASKS = "SELECT DISTINCT status FROM email_service_task"


@pytest.fixture
def server() -> Iterator[Postgres]:
    with postgres() as found:
        yield found


@pytest.fixture
def house(tmp_path: Path, server: Postgres) -> Iterator[House]:
    found = House(tmp_path, server.address())
    yield found
    found.end()


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Peer]:
    def slowly(session: Session, stage: str, argument: str) -> Action:
        return Wait(0.03) if stage == "dot" else None

    with Peer(tmp_path / "received.txt", slowly) as found:
        yield found


def test_f09_a_database_that_crashes_five_times_is_come_back_to(
    house: House, server: Postgres, peer: Peer
) -> None:
    house.prepare(peer, 1_500)
    forks = Forks(house, 2)
    try:
        for crash in range(1, 6):
            wait_for(lambda crash=crash: peer.kept >= crash * 200, 60, house.errors)
            server.crash_and_return()
        wait_for(lambda: house.is_finished, 90, house.errors)
    finally:
        forks.end()

    assert judge(house, peer, house.report())["lost"] == 0


def restored(server: Postgres, kind: str) -> None:
    """Put back what `copied` kept: the whole cluster, or the one database anew from a dump."""
    if kind == "copy":
        server.stop("immediate")
        shutil.rmtree(server.data)
        shutil.copytree(server.folder / "backup", server.data, symlinks=True)
        for path in (server.data, *server.data.rglob("*")):
            if os.getuid() == 0:
                shutil.chown(path, "postgres", "postgres")
        server.start()
        return
    server.execute("DROP DATABASE koo WITH (FORCE)", "postgres")
    server.execute("CREATE DATABASE koo", "postgres")
    at = ["-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres"]
    server.run("psql", *at, "-q", "-d", "koo", "-f", str(server.folder / "dump.sql"))


def copied(server: Postgres) -> None:
    at = ["-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres"]
    server.run("pg_basebackup", *at, "-D", str(server.folder / "backup"), "-X", "stream", "-c", "fast")
    server.run("pg_dump", *at, "-f", str(server.folder / "dump.sql"), "koo")


@pytest.mark.parametrize("kind", ["copy", "dump", "promoted"])
def test_f11_nothing_is_sent_with_a_restored_or_replaced_database_until_an_operator_says_so(
    house: House, server: Postgres, peer: Peer, kind: str
) -> None:
    house.prepare(peer, 700)
    usual = peer.script
    forks = Forks(house, 1)
    try:
        wait_for(lambda: peer.kept >= 60, 60, house.errors)
        peer.script = lambda session, stage, argument: Wait(1.0) if stage == "dot" else None
        copied(server)
        peer.script = usual
        # Into the second claim, made when a hundred of the first 500 are left: a restore to the middle of the last
        # one is no older than its counter says.
        wait_for(lambda: peer.kept >= 450, 60, house.errors)
    finally:
        forks.end()
    if kind == "promoted":
        # A standby made of the same moment goes its own way: as many claims, and another timeline.
        server.stop("fast")
        (server.data / "standby.signal").touch()
        if os.getuid() == 0:
            shutil.chown(server.data / "standby.signal", "postgres", "postgres")
        server.start()
        server.run("pg_ctl", "-D", str(server.data), "-w", "promote")
    else:
        restored(server, kind)
    before = peer.kept

    forks = Forks(house, 2)
    try:
        wait_for(lambda: "another" in house.errors or "older" in house.errors, 60)
        time.sleep(3)
        assert peer.kept == before, "nothing is sent"
        assert not house.is_finished
        kill(forks.workers[0], signal.SIGKILL)
        house.run("resume")
        wait_for(lambda: house.is_finished, 90, house.errors[-3000:])
    finally:
        forks.end()
    found = house.report()

    received = copies(peer)
    assert set(received) == {key for key, status in found["messages"].items() if status == "delivered"}
    assert len(received) == 700, "nobody is lost"
    assert len(set(peer.received)) == 700, "each copy has its message's one Message-ID"
    assert found["integrity"] == ""
    if kind == "promoted":
        extra = sum(received.values()) - len(received)
        assert extra <= sum(found["doubts"].values()), "the database knows all but what was in flight"


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A library that shifts the wall clock of whoever is started with it."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("a C compiler makes the shifted clock")
    library = tmp_path_factory.mktemp("clock") / "clock.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(CLOCK)], check=True)
    return str(library)


@pytest.mark.parametrize("shift", [3600, -3600])
def test_f13_workers_whose_clocks_are_an_hour_off_send_nothing_early_and_nothing_twice(
    house: House, peer: Peer, clock: str, shift: int
) -> None:
    house.settings = {"LEASE_SECONDS": "2", "LEASE_RENEW_SECONDS": "0.5", "HOST_SILENT_SECONDS": "3"}
    house.prepare(peer, 300)
    house.run("later", "1800")  # and a task that is due in half an hour
    shifted = {"LD_PRELOAD": clock, "CLOCK_SHIFT": str(shift)}
    off, right = Forks(house, 1, **shifted), Forks(house, 1)
    try:
        wait_for(lambda: peer.kept >= 300, 60, house.errors)
        time.sleep(3)
    finally:
        off.end()
        right.end()
    statuses = house.rows("SELECT status FROM email_service_task ORDER BY id")

    assert statuses == [("finished",), ("scheduled",)]
    assert len(copies(peer)) == 300 and set(copies(peer).values()) == {1}
    assert house.rows("SELECT count(*) FROM email_service_attempt WHERE in_doubt") == [(0,)]
    assert house.errors == ""
    assert house.report()["integrity"] == "", "reports hold every hour"


def test_f13_workers_whose_clock_jumps_forth_and_back_send_nothing_early_and_nothing_twice(
    house: House, peer: Peer, clock: str
) -> None:
    house.settings = {"LEASE_SECONDS": "2", "LEASE_RENEW_SECONDS": "0.5", "HOST_SILENT_SECONDS": "3"}
    house.prepare(peer, 400)
    house.run("later", "1800")
    said = house.folder / "clock"
    said.write_bytes(struct.pack("l", 0))
    forks = Forks(house, 2, LD_PRELOAD=clock, CLOCK_FILE=str(said))
    try:
        for kept, shift in ((50, 7200), (150, -7200), (250, 0)):
            wait_for(lambda kept=kept: peer.kept >= kept, 60, house.errors)
            with said.open("r+b") as file:
                file.write(struct.pack("l", shift))
        wait_for(lambda: peer.kept >= 400, 60, house.errors)
        time.sleep(2)
    finally:
        forks.end()

    assert house.rows("SELECT status FROM email_service_task ORDER BY id") == [("finished",), ("scheduled",)]
    assert len(copies(peer)) == 400 and set(copies(peer).values()) == {1}
    assert house.rows("SELECT count(*) FROM email_service_attempt WHERE in_doubt") == [(0,)]
    assert house.errors == ""
    assert house.report()["integrity"] == ""


def test_f16_on_sqlite_a_console_and_four_workers_write_at_once(tmp_path: Path, peer: Peer) -> None:
    house = House(tmp_path, f"sqlite:///{tmp_path / 'db.sqlite3'}")
    house.prepare(peer, 1_500)
    forks = Forks(house, 4)
    try:
        web = house.start(WEB, "25", "0.1", log="web")
        wait_for(lambda: web.poll() is not None, 120, house.said("web"))
        wait_for(lambda: len(copies(peer)) == 1_525, 120, house.errors)
    finally:
        forks.end()
        house.end()
    answers = house.said("web").splitlines()[-1]

    assert answers.count("[302,") == 25, house.said("web")[-3000:]
    assert "locked" not in house.errors and house.errors == ""
    assert set(copies(peer).values()) == {1}
