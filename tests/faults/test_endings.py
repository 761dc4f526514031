"""Workers that are told to end, and schedules: two of them, none at all (F-12, F-18)."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.email_service.delivery.peer import Action, Peer, Session, Wait
from tests.faults.house import House, judge, wait_for
from tests.faults.servers import Postgres, Redis, postgres, running

pytestmark = pytest.mark.faults
HELD = "SELECT count(*) FROM email_service_message WHERE lease_token IS NOT NULL"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as found:
        yield found


@pytest.fixture
def redis() -> Iterator[Redis]:
    with running(Redis) as found:
        yield found


@pytest.fixture
def house(tmp_path: Path, server: Postgres, redis: Redis) -> Iterator[House]:
    server.execute("DROP DATABASE IF EXISTS one WITH (FORCE)", "postgres")
    server.execute("CREATE DATABASE one", "postgres")
    found = House(tmp_path, server.address("one"), redis.address)
    yield found
    found.end()


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Peer]:
    with Peer(tmp_path / "received.txt") as found:
        yield found


def answer_after(seconds: float) -> object:
    def script(session: Session, stage: str, argument: str) -> Action:
        return Wait(seconds) if stage == "dot" else None

    return script


@pytest.mark.parametrize("signals", [1, 2])
def test_f18_a_worker_told_to_end_gives_back_what_it_has_not_begun_and_waits_for_the_rest(
    house: House, peer: Peer, signals: int
) -> None:
    house.prepare(peer, 200)
    peer.script = answer_after(4.0)  # type: ignore[assignment]
    worker = house.worker(children=1)
    house.beat()
    wait_for(lambda: peer.dots >= 4, 60)

    began = time.monotonic()
    for _ in range(signals):
        worker.send_signal(signal.SIGTERM)
        time.sleep(0.3)
    wait_for(lambda: house.rows(HELD)[0][0] <= 8, 10, "what was not begun is given back within 10 s")
    given_back = time.monotonic() - began
    wait_for(lambda: worker.poll() is not None, 60, house.said("worker-w")[-3000:])
    ended = time.monotonic() - began

    assert given_back < 10 and ended < 40
    assert house.rows(HELD) == [(0,)]
    assert not list((house.folder / "data" / "journal").glob("*.journal")), "nothing is left to take over"
    in_flight = peer.kept
    assert 4 <= in_flight <= 12
    delivered = "SELECT count(*) FROM email_service_message WHERE status = 'delivered'"
    assert house.rows(delivered) == [(in_flight,)], "bodies in flight were waited for, and written down"
    peer.script = lambda session, stage, argument: None
    house.worker(name="next")
    wait_for(lambda: house.rows("SELECT status FROM email_service_task") == [("finished",)], 60)
    house.end()
    assert judge(house, peer, house.report()) == {"messages": 200, "lost": 0, "extra": 0, "in_doubt": 0}


def test_f12_two_schedules_do_no_harm(house: House, peer: Peer) -> None:
    house.settings = {"SWEEP_SECONDS": "0.2"}
    house.prepare(peer, 500)
    house.worker()
    house.beat("beat-a")
    house.beat("beat-b")

    wait_for(lambda: house.rows("SELECT status FROM email_service_task") == [("finished",)], 90)

    house.end()
    assert judge(house, peer, house.report()) == {"messages": 500, "lost": 0, "extra": 0, "in_doubt": 0}


def test_f12_without_any_schedule_and_every_hint_lost_the_workers_find_the_work(
    house: House, peer: Peer
) -> None:
    house.settings = {"IDLE_SWEEP_SECONDS": "1"}
    house.prepare(peer, 300)  # publishes no hint

    house.worker()
    wait_for(lambda: house.rows("SELECT status FROM email_service_task") == [("finished",)], 90)

    house.end()
    assert judge(house, peer, house.report()) == {"messages": 300, "lost": 0, "extra": 0, "in_doubt": 0}
