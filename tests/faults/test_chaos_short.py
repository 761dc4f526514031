"""F-01 in small: workers killed with -9 twice a second while they read a file and send it."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings

from tests.email_service.delivery.peer import Action, Peer, Session, Wait
from tests.faults.house import Forks, House, judge

pytestmark = pytest.mark.services

logger = logging.getLogger(__name__)
MESSAGES = 2_000
UNITS = 1_500  # of a package; the rest is pay-as-you-go
WORKERS = 2
KILL_EVERY = 0.5
SLOWEST = 2.0
KILL_FOR = 20.0
GIVE_UP_AFTER = 90.0


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    """The address of an empty database of the suite's kind."""
    here = settings.DATABASES["default"]
    if not here["ENGINE"].endswith("postgresql"):
        yield f"sqlite:///{tmp_path / 'db.sqlite3'}"
        return
    name = f"chaos_{uuid4().hex[:12]}"
    server = {"host": here["HOST"], "port": here["PORT"] or 5432, "user": here["USER"]}
    password = here["PASSWORD"] or None
    with psycopg.connect(**server, password=password, dbname="postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        secret = f":{password}" if password else ""
        yield f"postgresql://{server['user']}{secret}@{server['host']}:{server['port']}/{name}"
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_workers_killed_twice_a_second_lose_nothing_and_explain_each_copy(
    tmp_path: Path, database: str
) -> None:
    def script(session: Session, stage: str, argument: str) -> Action:
        return Wait(0.1) if stage == "dot" and is_killing else None

    is_killing = True
    house = House(tmp_path, database, settings={"LOG_LEVEL": "ERROR"})
    with Peer(tmp_path / "received.txt", script) as peer:
        house.prepare(peer, MESSAGES, units=UNITS)
        forks = Forks(house, WORKERS)
        began = time.monotonic()
        try:
            while not house.is_finished:
                assert time.monotonic() - began < GIVE_UP_AFTER, house.errors
                before = peer.dots
                time.sleep(KILL_EVERY)
                # A busy machine gets the time to send something: killing those who only begin proves little.
                slow_until = time.monotonic() + SLOWEST
                while peer.dots == before and time.monotonic() < slow_until:
                    time.sleep(0.02)
                is_killing = time.monotonic() - began < KILL_FOR
                if is_killing:
                    forks.kill_one()
        finally:
            forks.end()
    seconds = time.monotonic() - began
    found = house.report()
    figures = judge(house, peer, found)
    logger.warning("%s kills in %.0f s: %s", forks.kills, seconds, figures)

    assert house.errors == ""
    assert forks.kills >= 5
    assert found["doubts"], "some died between a dot and its answer"
    assert figures["messages"] == MESSAGES
