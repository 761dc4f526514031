"""Several hosts: one is lost with its disk, comes back empty, and is taken away (docs/production.md)."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from koomessage.celery import app
from tests.email_service.delivery.peer import Action, Peer, Session, Wait
from tests.faults.hosts import Console, Host
from tests.faults.house import SUPPRESSED, House, copies, judge, wait_for
from tests.faults.servers import Broker, Postgres, Rabbit, Redis, postgres, running
from tests.object_store import CREDENTIALS, new_bucket, object_store

pytestmark = pytest.mark.faults
SCALED = {
    "LEASE_SECONDS": "3",
    "LEASE_RENEW_SECONDS": "0.5",
    "HOST_SILENT_SECONDS": "5",
    "IDLE_SWEEP_SECONDS": "2",
    "SHUTDOWN_GRACE": "10",
}
UNFINISHED = "SELECT count(*) FROM email_service_task WHERE status <> 'finished'"
HOSTS = "SELECT DISTINCT host FROM email_service_worker ORDER BY host"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as found:
        yield found


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    with object_store() as found:
        yield found


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Peer]:
    def slowly(session: Session, stage: str, argument: str) -> Action:
        return Wait(0.02) if stage == "dot" else None

    with Peer(tmp_path / "received.txt", slowly, keeps_mails=False) as found:
        yield found


@pytest.fixture(params=[Rabbit, Redis])
def house(tmp_path: Path, server: Postgres, store: str, request: Any) -> Iterator[House]:
    kind: type[Broker] = request.param
    server.execute("DROP DATABASE IF EXISTS one WITH (FORCE)", "postgres")
    server.execute("CREATE DATABASE one", "postgres")
    with running(kind) as broker:
        kept = {"MEDIA_STORAGE": new_bucket(store), **CREDENTIALS}
        found = House(tmp_path, server.address("one"), broker.address, {**SCALED, **kept})
        yield found
        found.end()


def wait_until_finished(house: House) -> None:
    def tell() -> str:
        return "".join(house.said(f"host-{name}-sending")[-1500:] for name in "ab")

    end = time.monotonic() + 90
    while house.rows(UNFINISHED) != [(0,)]:
        assert time.monotonic() < end, tell()
        time.sleep(0.1)


def test_a_host_lost_with_its_disk_costs_nothing_and_may_come_back_empty(house: House, peer: Peer) -> None:
    hosts = first, second = Host(house, "host-a"), Host(house, "host-b")
    console = Console(house, peer.port, 2, *SUPPRESSED)
    for host in hosts:
        host.begin()
    for account, name in enumerate(("r", "q")):
        console.submit(account, 3000, name, "guide.pdf")
    for host in hosts:
        host.wait()

    wait_for(lambda: peer.kept >= 1200, 60)
    wait_for(lambda: house.rows(HOSTS) == [("host-a",), ("host-b",)], 20)
    console.visitor(console.operator).open("/email/engine/").expect("host-a", "host-b")
    held = "SELECT count(*) FROM email_service_claim WHERE host = 'host-a'"
    wait_for(lambda: house.rows(held)[0][0] > 0)
    first.kill()
    wait_until_finished(house)
    wait_for(lambda: house.rows(HOSTS) == [("host-b",)], 20, "who is silent is listed no more")
    assert console.visitor(console.operator).client.get("/healthz").status_code == 200

    first.begin()
    first.wait(2)
    second.stop()
    assert list(second.journal.glob("*.journal")) == [], "a host that was stopped leaves nothing behind"
    before = peer.kept
    console.submit(0, 300, "p", "guide.pdf")
    wait_until_finished(house)
    assert peer.kept >= before + 300
    assert [host for (host,) in house.rows(HOSTS)] == ["host-a"]

    house.end()
    figures = judge(house, peer, house.report())
    assert (figures["messages"], figures["lost"]) == (6300, 0)
    assert figures["extra"] <= figures["in_doubt"]
    assert figures["in_doubt"] > 0, "nobody knows what the lost journal said"
    assert not any((host.folder / "data" / "media").exists() for host in hosts), "uploads are in the store"


@pytest.mark.parametrize("house", [Redis], indirect=True)
def test_console_jobs_start_at_once_though_all_sending_workers_are_held_up(house: House, peer: Peer) -> None:
    def held_up(session: Session, stage: str, argument: str) -> Action:
        return Wait(60) if stage == "dot" else None

    peer.script = held_up
    hosts = [Host(house, "host-a"), Host(house, "host-b")]
    console = Console(house, peer.port, 2, *SUPPRESSED)
    for host in hosts:
        host.begin(beats=False)
    for host in hosts:
        host.wait()
    console.submit(0, 2500, "r")
    working = "SELECT count(DISTINCT worker) FROM email_service_claim"
    sending = app.connection_for_write(house.broker)
    for _ in range(20):
        app.send_task("email_service.send_tasks.jobs.deliver", connection=sending)
    wait_for(lambda: house.rows(working) == [(4,)], 30, "all four sending processes have their hands full")

    begun_at = time.monotonic()
    console.submit(1, 100, "q")
    submitted_at = time.monotonic()
    reading = "SELECT count(*) FROM email_service_task WHERE name = 'q' AND (is_read OR reading_until > '2000-01-01')"
    wait_for(lambda: house.rows(reading) == [(1,)], 10)
    assert time.monotonic() - submitted_at < 2
    beat = "SELECT max(at) FROM email_service_heartbeat WHERE name = 'sweep'"
    before, asked_at = house.rows(beat), time.monotonic()
    app.send_task("email_service.send_tasks.jobs.sweep", connection=sending)
    wait_for(lambda: house.rows(beat) != before, 10)
    assert time.monotonic() - asked_at < 2
    assert begun_at < submitted_at
    assert house.rows(working) == [(4,)], "and sending was at work all the while"
    assert copies(peer) == {}
