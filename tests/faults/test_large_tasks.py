"""A hundred thousand recipients: readers killed over them (F-20), and an account stopped in mid-way (F-50)."""

import logging
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.email_service.delivery.peer import Peer
from tests.faults.house import Forks, House, copies, wait_for, wanted
from tests.faults.servers import Postgres, postgres

pytestmark = pytest.mark.faults
logger = logging.getLogger(__name__)
MESSAGES = 100_000
MOST_SECONDS = 10.0
READ = "SELECT rows_read, is_read, accepted_count, pending_count FROM email_service_task"


@pytest.fixture
def server() -> Iterator[Postgres]:
    with postgres() as found:
        yield found


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Peer]:
    with Peer(tmp_path / "received.txt", keeps_mails=False) as found:
        yield found


def test_f20_f50_readers_killed_over_a_large_task_and_its_account_stopped_while_it_is_sent(
    tmp_path: Path, server: Postgres, peer: Peer
) -> None:
    house = House(tmp_path, server.address(), settings={"LOG_LEVEL": "ERROR"})
    house.prepare(peer, MESSAGES, units=MESSAGES // 2)
    forks = Forks(house, 2)
    try:
        places = read_though_killed(house, forks)
        wait_for(lambda: peer.kept >= 2_000, 60, house.errors)
        asked_at = time.monotonic()
        house.run("pause")
        stopped_after = silence_since(peer) - asked_at
        sent = peer.kept
        time.sleep(3)
        assert peer.kept == sent, "nothing is sent any more"
        held = house.rows("SELECT count(*) FROM email_service_message WHERE lease_token IS NOT NULL")
        house.run("cancel")
        wait_for(lambda: house.is_finished, 60, house.errors[-3000:])
    finally:
        forks.end()
    found = house.report()

    statuses = Counter(found["messages"].values())
    logger.warning("Killed at rows %s; stopped after %.1f s with %s sent", places, stopped_after, sent)
    assert len(places) >= 3, "readers were killed in mid-way"
    assert set(found["messages"]) == wanted(house.sheet), "each row has its message"
    assert stopped_after <= MOST_SECONDS
    assert held == [(0,)], "what was not begun is given back"
    assert statuses == {"delivered": sent, "cancelled": MESSAGES - sent}
    assert sent == len(copies(peer)) == sum(copies(peer).values())
    assert (found["charged"], found["still_reserved"]) == (sent, 0), "the rest costs nothing"
    assert (found["claimed"], found["integrity"]) == (0, "")


def read_though_killed(house: House, forks: Forks) -> list[int]:
    """Kill a worker for every ten thousand rows read, until all are; return where each kill found the reader."""
    places: list[int] = []
    while True:
        ((rows_read, is_read, accepted, pending),) = house.rows(READ)
        assert accepted >= pending
        if is_read:
            assert accepted == MESSAGES
            return places
        if rows_read >= 10_000 * (len(places) + 1):
            places.append(rows_read)
            forks.kill_one()
            forks.kill_one()
        time.sleep(0.05)


def silence_since(peer: Peer) -> float:
    """Wait until no mail has come for two seconds, and return when the last one did, at the earliest now."""
    began = last = time.monotonic()
    kept = peer.kept
    while time.monotonic() < last + 2:
        time.sleep(0.02)
        if peer.kept != kept:
            kept, last = peer.kept, time.monotonic()
        assert last - began < 60, "it goes on sending"
    return last
