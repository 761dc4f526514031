"""A disk is full: the journal's, the database's, that of uploads under way, that of files (F-14)."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from tests.email_service.delivery.peer import Action, Peer, Session, Wait
from tests.faults.disks import Disk, small_disk
from tests.faults.house import Forks, House, copies, judge, wait_for
from tests.faults.servers import Postgres

pytestmark = pytest.mark.faults
FULL = ("No space left", "disk is full", "database or disk is full")


class Visitor:
    """Somebody at the console, in a process of its own."""

    def __init__(self, house: House, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("visitor.py"))],
            env={**house.environment, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        house.processes.append(self.process)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def submit(self, recipient: str, *, size: int = 0, key: str = "") -> tuple[int, str]:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"Spring-of-{recipient} {recipient} {size} {key or uuid4()}\n")
        self.process.stdin.flush()
        status, text = json.loads(self.process.stdout.readline())
        return status, text


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Peer]:
    def slowly(session: Session, stage: str, argument: str) -> Action:
        return Wait(0.03) if stage == "dot" else None

    with Peer(tmp_path / "received.txt", slowly) as found:
        yield found


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    found = House(tmp_path, f"sqlite:///{tmp_path / 'db.sqlite3'}")
    yield found
    found.end()


def fill_until_quiet(disk: Disk, peer: Peer) -> None:
    """What somebody gives back is filled, too, until nothing more arrives."""
    quiet_since, kept = time.monotonic(), peer.kept
    while time.monotonic() - quiet_since < 2.0:
        disk.fill()
        time.sleep(0.01)
        if peer.kept != kept:
            quiet_since, kept = time.monotonic(), peer.kept


def test_f14_without_room_for_its_journal_a_worker_sends_nothing_and_goes_on_when_there_is(
    house: House, peer: Peer, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "small", "64k") as disk:
        house.settings = {"JOURNAL_DIR": str(disk.folder / "journal")}
        house.prepare(peer, 400)
        forks = Forks(house, 1)
        try:
            wait_for(lambda: peer.kept >= 50, 60, house.errors)
            # A journal that was taken over and removed makes room for the next one: that is filled, too.
            fill_until_quiet(disk, peer)
            assert any(word in house.errors for word in FULL)
            assert peer.kept < 400, "nothing is handed over without its mark"
            disk.free()
            wait_for(lambda: house.is_finished, 90, house.errors[-3000:])
        finally:
            forks.end()
        assert judge(house, peer, house.report())["lost"] == 0


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_f14_without_room_for_the_database_nothing_more_is_sent_or_taken_and_both_go_on_when_there_is(
    house: House, peer: Peer, tmp_path: Path, kind: str
) -> None:
    with ExitStack() as stack:
        if kind == "sqlite":
            disk = stack.enter_context(small_disk(tmp_path / "small", "12m"))
            house.database = f"sqlite:///{disk.folder / 'db.sqlite3'}"
        else:
            server = Postgres()
            stack.callback(server.remove)
            disk = stack.enter_context(small_disk(server.folder, "200m"))
            server.make()
            server.start()
            server.execute("CREATE DATABASE koo", "postgres")
            house.database = server.address()
        house.prepare(peer, 1_500)
        visitor = Visitor(house)
        forks = Forks(house, 1)
        try:
            wait_for(lambda: peer.kept >= 50, 60, house.errors)
            fill_until_quiet(disk, peer)
            before = peer.kept
            assert before < 1_500, "what cannot be written down is not sent"
            answers = [visitor.submit(f"v{number}@qq.com") for number in range(3)]
            disk.free()
            if kind == "postgresql":
                server.execute("SELECT 1")  # it has come back by itself, or was never gone
            key = str(uuid4())
            assert [visitor.submit("later@qq.com", key=key)[0] for _ in range(2)] == [302, 302]
            wait_for(lambda: house.is_finished, 90, house.errors[-3000:])
        finally:
            forks.end()
        refused = [(status, text) for status, text in answers if status != 302]
        assert refused, answers
        for status, text in refused:
            assert status in (503, 507) and "未保存任何更改" in text
            assert 'value="Spring-of-v' in text, "what was typed is in the page"
        found = house.report()
        taken = {f"v{number}@qq.com" for number, (status, _) in enumerate(answers) if status == 302}
        assert set(copies(peer)) - {f"r{number}@qq.com" for number in range(1_500)} == {
            "later@qq.com",
            *taken,
        }
        assert {key for key, status in found["messages"].items() if status == "delivered"} == set(
            copies(peer)
        )
        unexplained = {key: n for key, n in copies(peer).items() if n - 1 > found["doubts"].get(key, 0)}
        assert unexplained == {} and found["integrity"] == ""


def test_f14_without_room_for_an_upload_the_form_is_refused_in_words_and_taken_when_there_is(
    house: House, peer: Peer, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "uploads", "4m") as uploads, small_disk(tmp_path / "files", "4m") as files:
        house.settings = {"MEDIA_ROOT": str(files.folder)}
        house.prepare(peer, 5)
        visitor = Visitor(house, TMPDIR=str(uploads.folder))
        key = str(uuid4())
        for disk in (uploads, files):
            half = disk.folder / "half"
            half.write_bytes(bytes(2 * 2**20))
            before = disk.used
            for _ in range(2):
                status, text = visitor.submit("a@qq.com", size=3 * 2**20, key=key)
                assert status == 507 and "存储空间已满" in text and "no room left" in text
                if disk is files:
                    assert 'value="Spring-of-a@qq.com"' in text and key in text, (
                        "what was typed is in the page"
                    )
                assert disk.used == before, "what was cut short takes no room"
            half.unlink()
        assert house.rows("SELECT count(*) FROM email_service_task") == [(1,)], "the house's own alone"

        assert visitor.submit("a@qq.com", size=3 * 2**20, key=key)[0] == 302
        forks = Forks(house, 1)
        try:
            wait_for(lambda: house.is_finished, 60, house.errors)
        finally:
            forks.end()
        assert copies(peer) == dict.fromkeys(["a@qq.com", *(f"r{number}@qq.com" for number in range(5))], 1)
        assert max(map(len, peer.mails)) > 3 * 2**20
