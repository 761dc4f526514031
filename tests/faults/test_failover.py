"""PostgreSQL fails over to an asynchronous replica that lags behind (F-10)."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.email_service.delivery.peer import Action, Peer, Session, Wait
from tests.faults.house import Forks, House, copies, wait_for, wanted
from tests.faults.servers import Postgres, postgres

pytestmark = pytest.mark.faults
logger = logging.getLogger(__name__)
MESSAGES = 3_000
LAG = 1.0  # seconds


@pytest.fixture
def primary() -> Iterator[Postgres]:
    with postgres() as found:
        yield found


@pytest.fixture
def replica(primary: Postgres) -> Iterator[Postgres]:
    """A streaming copy of the primary, asynchronous as it is by default."""
    found = Postgres()
    try:
        at = ["-h", "127.0.0.1", "-p", str(primary.port), "-U", "postgres"]
        found.run("pg_basebackup", *at, "-D", str(found.data), "-X", "stream", "-c", "fast", "-R")
        found.start()
        yield found
    finally:
        found.remove()


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Peer]:
    def slowly(session: Session, stage: str, argument: str) -> Action:
        return Wait(0.01) if stage == "dot" else None

    with Peer(tmp_path / "received.txt", slowly, keeps_mails=False) as found:
        yield found


@pytest.mark.parametrize("batch", [20, 1_000], ids=["small batches", "large batches"])
def test_f10_a_replica_that_lagged_sends_nothing_until_an_operator_says_so_and_then_loses_nothing(
    tmp_path: Path, primary: Postgres, replica: Postgres, peer: Peer, batch: int
) -> None:
    house = House(tmp_path, primary.address(), settings={"LOG_LEVEL": "ERROR"})
    house.prepare(peer, MESSAGES)
    forks = Forks(house, 2, FAULTS_BATCH=str(batch))
    try:
        wait_for(lambda: peer.kept >= 400, 60, house.errors)
        received = replica.execute("SELECT count(*) FROM pg_stat_wal_receiver", "postgres")
        assert received == [(1,)], "the replica follows"
        # The line to it breaks; what is committed from now on, it never hears of.
        replica.execute("ALTER SYSTEM SET primary_conninfo = ''", "postgres")
        replica.execute("SELECT pg_reload_conf()", "postgres")
        wait_for(lambda: replica.execute("SELECT count(*) FROM pg_stat_wal_receiver", "postgres") == [(0,)])
        at_break = peer.kept
        time.sleep(LAG)
        wait_for(lambda: peer.kept >= at_break + 50, 60, house.errors)
        primary.stop("immediate")
        replica.run("pg_ctl", "-D", str(replica.data), "-w", "promote")
        take_the_place_of(primary, replica)
        wait_for(lambda: "another" in house.errors or "older" in house.errors, 60, house.errors[-3000:])
        time.sleep(1)
        before = peer.kept
        time.sleep(3)
        assert peer.kept == before and not house.is_finished, "nothing is sent"
        assert before < MESSAGES
        house.run("resume")
        wait_for(lambda: house.is_finished, 90, house.errors[-3000:])
    finally:
        forks.end()
    found = house.report()

    taken = copies(peer)
    extra = sum(taken.values()) - len(taken)
    figures = {"extra": extra, "in_doubt": sum(found["doubts"].values()), "after_break": before - at_break}
    logger.warning("Fail-over: %s", figures)
    assert figures["extra"] <= figures["in_doubt"]
    assert set(taken) == set(found["messages"]) == wanted(house.sheet), "nobody is lost"
    assert set(found["messages"].values()) == {"delivered"}
    assert len(set(peer.received)) == MESSAGES, "each copy has its message's one Message-ID"
    assert (found["claimed"], found["integrity"]) == (0, "")


def take_the_place_of(primary: Postgres, replica: Postgres) -> None:
    """Have the replica answer where the primary did, as an address that moves with it would."""
    replica.stop("fast")
    replica.port = primary.port
    replica.start()
