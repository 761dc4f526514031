"""Workers that stand still past their lease, die over one message, or are told to end (F-07, F-08, F-17, F-20)."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.email_service.delivery.peer import Action, Peer, Session, Wait
from tests.faults.house import Forks, House, copies, judge, kill, wait_for

pytestmark = pytest.mark.faults
SHORT_LEASE = {
    "LEASE_SECONDS": "1",
    "LEASE_RENEW_SECONDS": "0.3",
    "HOST_SILENT_SECONDS": "1",
}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    found = House(tmp_path, f"sqlite:///{tmp_path / 'db.sqlite3'}", settings=SHORT_LEASE)
    yield found
    found.end()


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Peer]:
    with Peer(tmp_path / "received.txt") as running:
        yield running


def at(peer: Peer, stage: str, seconds: float) -> None:
    """Have the peer answer that stage late, every time."""

    def script(session: Session, asked: str, argument: str) -> Action:
        return Wait(seconds) if asked == stage else None

    peer.script = script


def test_f07_a_worker_that_stood_still_past_its_lease_sends_no_dot_after_it(house: House, peer: Peer) -> None:
    house.prepare(peer, 40)
    at(peer, "data", 0.5)
    forks = Forks(house, 1)
    try:
        wait_for(lambda: "DATA" in peer.commands)
        slow = forks.workers[0]
        kill(slow, signal.SIGSTOP)
        dots = peer.dots
        # Its lease and its host's silence pass, and another takes everything over and sends it.
        peer.script = lambda session, stage, argument: None
        forks.workers.append(forks.new())
        wait_for(lambda: house.is_finished, 30, house.errors)
        sent_by_others = peer.kept
        kill(slow, signal.SIGCONT)
        wait_for(lambda: not Path(f"/proc/{slow}").exists(), 30)
    finally:
        forks.end()
    figures = judge(house, peer, found := house.report())

    assert figures["messages"] == 40 and sent_by_others >= 40 - dots
    assert peer.kept == sent_by_others, "not one dot came from the worker whose lease was over"
    assert figures["extra"] == 0
    assert found["set_aside"] == [] and house.errors == ""


@pytest.mark.parametrize("is_killed", [False, True], ids=["resumed", "killed"])
def test_f08_a_worker_that_stood_still_after_its_dot_leaves_one_doubt_a_message(
    house: House, peer: Peer, is_killed: bool
) -> None:
    house.prepare(peer, 20)
    at(peer, "dot", 1.0)
    forks = Forks(house, 1)
    try:
        wait_for(lambda: peer.dots >= 2)
        slow = forks.workers[0]
        kill(slow, signal.SIGSTOP)
        wait_for(lambda: peer.kept >= 2)
        peer.script = lambda session, stage, argument: None
        forks.workers.append(forks.new())
        wait_for(lambda: house.is_finished, 30, house.errors)
        kill(slow, signal.SIGKILL if is_killed else signal.SIGCONT)
        wait_for(lambda: not Path(f"/proc/{slow}").exists(), 30)
    finally:
        forks.end()
    figures = judge(house, peer, found := house.report())

    assert 1 <= figures["extra"] <= figures["in_doubt"]
    assert set(copies(peer).values()) <= {1, 2} and set(found["doubts"].values()) == {1}


def test_f17_a_message_that_kills_its_worker_is_set_aside_after_three_and_the_rest_is_sent(
    house: House, peer: Peer
) -> None:
    house.settings = {}
    house.prepare(peer, 30)
    forks = Forks(house, 1, FAULTS_POISON="r7@qq.com")
    crashes = 0
    try:
        while not house.is_finished:
            wait_for(
                lambda: house.is_finished or not Path(f"/proc/{forks.workers[0]}").exists(), 30, house.errors
            )
            if not house.is_finished:
                crashes += 1
                assert crashes < 6
                forks.workers[0] = forks.new()
    finally:
        forks.end()
    found = house.report()
    judge(house, peer, found)  # a copy of another that was in flight at a crash is explained there

    assert crashes == 3
    assert found["set_aside"] == ["r7@qq.com"]
    assert found["messages"]["r7@qq.com"] == "failed"
    assert len(copies(peer)) == 29 and "r7@qq.com" not in copies(peer)
    assert found["charged"] == 29, "what the platform could not send costs nothing"


def test_f20_readers_killed_while_they_read_charge_each_row_once(house: House, peer: Peer) -> None:
    house.settings = {}
    house.prepare(peer, 3_000, units=1_000)
    forks = Forks(house, 2, FAULTS_CHUNK="10")
    kills = 0
    try:
        while not house.is_finished and kills < 8:
            if not house.rows("SELECT 1 FROM email_service_task WHERE is_read"):
                forks.kill_one()
                kills += 1
            time.sleep(0.2)
        wait_for(lambda: house.is_finished, 60, house.errors)
    finally:
        forks.end()
    found = house.report()
    figures = judge(house, peer, found)

    assert kills >= 2
    assert figures["messages"] == 3_000
    assert found["charged"] == 3_000
