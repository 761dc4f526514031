"""Two tabs cancel while the dispatcher starts, a thousand times on each database (F-43)."""

import os
import subprocess
import sys

import pytest

from tests.faults.servers import postgres

pytestmark = pytest.mark.faults
RACE = "tests/email_service/send_tasks/test_cancelling.py"


def test_f43_a_thousand_tasks_are_sent_wholly_or_not_at_all() -> None:
    with postgres() as server:
        races = [
            subprocess.Popen(
                [sys.executable, "-m", "pytest", RACE, "-q"],
                env={**os.environ, "CANCEL_ROUNDS": "1000", **database},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for database in ({}, {"DATABASE_URL": server.address()})
        ]
        for race in races:
            said, _nothing = race.communicate(timeout=300)
            assert race.returncode == 0 and "1 passed" in said, said[-3000:]
