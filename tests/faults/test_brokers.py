"""Celery loses workers and hints, a broker forgets, stops, freezes, repeats itself (F-02 to F-06, F-19)."""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from tests.email_service.delivery.peer import Action, Peer, Session, Wait
from tests.faults.house import House, children_of, copies, judge, kill, wait_for
from tests.faults.servers import Broker, Postgres, Rabbit, Redis, postgres, running

pytestmark = pytest.mark.faults
WEB = str(Path(__file__).with_name("web.py"))
JOBS = "email_service.send_tasks.jobs"
PUBLISH = str(Path(__file__).with_name("publish.py"))


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as found:
        yield found


@pytest.fixture
def database(server: Postgres) -> Iterator[str]:
    server.execute("DROP DATABASE IF EXISTS one WITH (FORCE)", "postgres")
    server.execute("CREATE DATABASE one", "postgres")
    return server.address("one")


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Peer]:
    def slowly(session: Session, stage: str, argument: str) -> Action:
        return Wait(0.03) if stage == "dot" else None

    with Peer(tmp_path / "received.txt", slowly) as found:
        yield found


@pytest.fixture
def redis() -> Iterator[Redis]:
    with running(Redis) as found:
        yield found


@pytest.fixture
def house(tmp_path: Path, database: str, redis: Redis) -> Iterator[House]:
    found = House(tmp_path, database, redis.address, {"SWEEP_SECONDS": "0.5"})
    yield found
    found.end()


def wait_until_finished(house: House, seconds: float = 90) -> None:
    question = (
        "SELECT count(*) FROM email_service_task WHERE status NOT IN ('finished', 'cancelled', 'failed')"
    )
    wait_for(lambda: house.rows(question) == [(0,)], seconds, house.said("worker-w")[-3000:])


@pytest.mark.parametrize("rejects", ["0", "1"])
def test_f02_pool_children_killed_while_their_job_is_acknowledged_late(
    house: House, peer: Peer, rejects: str
) -> None:
    house.prepare(peer, 800)
    worker = house.worker(children=2, FAULTS_ACKS_LATE="1", FAULTS_REJECT_LOST=rejects)
    house.beat()

    for kills in range(1, 6):
        wait_for(lambda kills=kills: peer.kept >= kills * 60, 60)
        for child in children_of(worker):
            kill(child)
    wait_until_finished(house)

    house.end()
    assert judge(house, peer, house.report())["lost"] == 0


def test_f03_the_whole_worker_killed_with_jobs_acknowledged_early_and_prefetched(
    house: House, peer: Peer
) -> None:
    house.prepare(peer, 600)
    early = {"FAULTS_ACKS_LATE": "0", "FAULTS_REJECT_LOST": "0", "FAULTS_PREFETCH": "4"}
    worker = house.worker(children=2, **early)
    house.beat()

    for kills in range(1, 3):
        wait_for(lambda kills=kills: peer.kept >= kills * 100, 60)
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait(10)
        worker = house.worker(children=2, **early)
    wait_until_finished(house)

    house.end()
    assert judge(house, peer, house.report())["lost"] == 0


def test_f04_a_broker_that_forgets_everything_costs_no_more_than_a_sweep(
    house: House, peer: Peer, redis: Redis
) -> None:
    house.prepare(peer, 400)
    house.start(PUBLISH, "5", log="publish").wait(60)
    redis.flush()
    house.worker(children=2)
    began = time.monotonic()
    house.beat()
    wait_for(lambda: peer.kept, 30)
    delay = time.monotonic() - began
    for wanted in (100, 200, 300):
        wait_for(lambda wanted=wanted: peer.kept >= wanted, 60)
        redis.flush()
    wait_until_finished(house)

    house.end()
    assert judge(house, peer, house.report()) | {"extra": 0} == {
        "messages": 400, "lost": 0, "extra": 0, "in_doubt": 0,
    }  # fmt: skip
    assert delay < 25, "the time beat takes to start, and a sweep"


@pytest.mark.parametrize("kind", [Redis, Rabbit])
@pytest.mark.parametrize("trouble", ["stopped", "frozen"])
def test_f05_who_submits_does_not_wait_for_a_broker_that_is_gone(
    tmp_path: Path, database: str, peer: Peer, kind: type[Broker], trouble: str
) -> None:
    with running(kind) as broker:
        house = House(tmp_path, database, broker.address, {"SWEEP_SECONDS": "0.5"})
        try:
            house.prepare(peer, 10)
            web = house.start(WEB, "8", "0.3", log="web")
            wait_for(lambda: "ready" in house.said("web"), 60)
            # The first are answered while all is well, so that connections are open.
            wait_for(lambda: house.rows("SELECT count(*) FROM email_service_task")[0][0] >= 3, 60)
            if trouble == "stopped":
                broker.stop()
            else:
                broker.signal(signal.SIGSTOP)
            wait_for(lambda: web.poll() is not None, 120, house.said("web"))
            if trouble == "stopped":
                broker.start()
            else:
                broker.signal(signal.SIGCONT)
            answers = json.loads(house.said("web").splitlines()[-1])
            house.worker()
            house.beat()
            wait_until_finished(house)
        finally:
            house.end()
    assert [status for status, _ in answers] == [302] * 8
    assert max(seconds for _, seconds in answers[1:]) <= 2.0, answers
    expected = {f"w{number}@qq.com" for number in range(8)} | {f"r{number}@qq.com" for number in range(10)}
    assert copies(peer) == dict.fromkeys(expected, 1)


def test_f06_hints_delivered_again_and_again_have_no_effect(house: House, peer: Peer) -> None:
    def very_slowly(session: Session, stage: str, argument: str) -> Action:
        return Wait(0.15) if stage == "dot" else None

    peer.script = very_slowly
    house.prepare(peer, 300)
    # A batch takes longer than Redis waits before it hands an unacknowledged job out again.
    for name in ("a", "b", "c"):
        house.worker(name, children=1, FAULTS_VISIBILITY_TIMEOUT="2")
    for _ in range(3):
        house.start(PUBLISH, "5", log="publish").wait(60)
    house.beat()
    wait_until_finished(house)

    house.end()
    figures = judge(house, peer, house.report())
    assert figures == {"messages": 300, "lost": 0, "extra": 0, "in_doubt": 0}
    assert Counter(copies(peer).values()) == {1: 300}


def test_f19_jobs_of_another_version_neither_stop_a_worker_nor_what_waits_behind_them(
    house: House, peer: Peer
) -> None:
    house.prepare(peer, 100)
    with Celery("another", broker=house.broker) as another, another.connection_for_write() as link:
        options: dict[str, Any] = {"connection": link, "ignore_result": True}
        for _ in range(20):
            for queue in ("console", "reading", "sending"):
                another.send_task("email_service.send_tasks.jobs.someday", [1], queue=queue, **options)
            another.send_task(f"{JOBS}.deliver", ["fast"], {"since": 3}, queue="sending", **options)
            another.send_task(f"{JOBS}.read_recipients", ["a", "b", "c"], queue="reading", **options)
            another.send_task(f"{JOBS}.read_recipients", [10**9], queue="reading", **options)
    worker = house.worker(children=2)
    house.beat()
    wait_until_finished(house)

    said = house.said("worker-w")
    assert worker.poll() is None and "Received unregistered task" in said
    house.end()
    assert judge(house, peer, house.report()) == {"messages": 100, "lost": 0, "extra": 0, "in_doubt": 0}
