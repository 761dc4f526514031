"""Everything at once: workers killed, the database crashed, the broker emptied. CHAOS_MESSAGES says how many.

The workers are a Celery worker's children on Redis, and forks that look for work themselves.
"""

import logging
import os
import random
import time
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from tests.email_service.delivery.peer import Action, KeepAndCut, Peer, Session, Wait
from tests.faults.house import Forks, House, children_of, judge, kill, wait_for
from tests.faults.servers import Postgres, Redis, postgres, running

pytestmark = pytest.mark.faults

logger = logging.getLogger(__name__)
MESSAGES = int(os.environ.get("CHAOS_MESSAGES", "20000"))
CHILDREN = 2
FORKS = 2
KILL_EVERY = 0.5
SLOWEST = 3.0
# Shares of the messages after which the database crashes, and the broker forgets everything.
CRASHES = [0.2, 0.45, 0.7]
FLUSH = 0.33
GIVE_UP_AFTER = 120 + MESSAGES / 50


def is_finished(server: Postgres) -> bool:
    with suppress(psycopg.OperationalError):
        return server.execute("SELECT DISTINCT status FROM email_service_task") == [("finished",)]
    return False


def test_a_chaos_of_kills_crashes_and_lost_hints_loses_nothing(tmp_path: Path) -> None:
    dice = random.Random(11)

    def script(session: Session, stage: str, argument: str) -> Action:
        if stage != "dot" or not is_chaos:
            return None
        return KeepAndCut() if dice.random() < 0.002 else Wait(0.005)

    is_chaos = True
    with (
        postgres() as server,
        running(Redis) as broker,
        Peer(tmp_path / "received.txt", script, keeps_mails=False) as peer,
    ):
        house = House(tmp_path, server.address(), broker.address, {"SWEEP_SECONDS": "0.3"})
        house.prepare(peer, MESSAGES, units=MESSAGES // 2)
        forks = Forks(house, FORKS)
        try:
            worker = house.worker(children=CHILDREN)
            house.beat()
            kills = crashes = flushes = 0
            began = time.monotonic()
            while not is_finished(server):
                assert time.monotonic() - began < GIVE_UP_AFTER, house.said("worker-w")[-5000:]
                before = peer.dots
                time.sleep(KILL_EVERY)
                # A busy machine gets the time to send something: killing those who only begin proves little.
                slow_until = time.monotonic() + SLOWEST
                while is_chaos and peer.dots == before and time.monotonic() < slow_until:
                    time.sleep(0.02)
                share = peer.kept / MESSAGES
                is_chaos = share < 0.97
                if is_chaos:
                    children = children_of(worker)
                    if children and random.random() < CHILDREN / (CHILDREN + FORKS):
                        kill(random.choice(children))
                    else:
                        forks.kill_one()
                    kills += 1
                if crashes < len(CRASHES) and share >= CRASHES[crashes]:
                    server.crash_and_return()
                    crashes += 1
                if not flushes and share >= FLUSH:
                    broker.flush()
                    flushes += 1
            seconds = time.monotonic() - began
            worker.terminate()
            wait_for(lambda: worker.poll() is not None, 60, "the worker did not end")
        finally:
            forks.end()
            house.end()
        found = house.report()
        figures = judge(house, peer, found)
    figures |= {"kills": kills, "crashes": crashes, "flushes": flushes, "seconds": round(seconds)}
    logger.warning("Chaos: %s", figures)

    assert (crashes, flushes) == (len(CRASHES), 1)
    assert kills >= 10
    assert figures["messages"] == MESSAGES
    assert figures["lost"] == len(found["set_aside"])
