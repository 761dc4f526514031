"""/healthz: green, degraded, red, for machines that have no session."""

import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from email_service.send_details.models import Message
from email_service.send_tasks import pulse
from email_service.send_tasks.models import ClaimCounter, Task
from email_service.send_tasks.models_workers import Heartbeat
from email_service.setup import services
from email_service.setup.models import PlatformSending
from iam.models import Tenant
from tests.architecture.source import ROOT
from tests.factories_sending import make_message, make_task

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticking(db: Any) -> None:
    pulse.tick()


def make_waiting(tenant: Tenant, *, minutes: float) -> Message:
    """A message that could have been claimed since so many minutes."""
    since = timezone.now() - timedelta(minutes=minutes)
    return make_message(make_task(tenant, due_at=since), accepted_at=since)


def claimed(*, minutes: float) -> None:
    ClaimCounter.objects.update_or_create(
        pk=1, defaults={"value": 7, "claimed_at": timezone.now() - timedelta(minutes=minutes)}
    )


def test_all_is_well_in_three_queries_without_a_cookie(
    client: Client, ticking: None, acme: Tenant, django_assert_num_queries: Any
):
    make_waiting(acme, minutes=10)
    claimed(minutes=1)

    with django_assert_num_queries(3):
        answer = client.get("/healthz")

    found = answer.json()
    assert (answer.status_code, found["status"], found["reasons"]) == (200, "ok", [])
    assert 55 < found["last_claim_seconds_ago"] < 65
    assert found["last_sweep_seconds_ago"] < 5
    assert not answer.cookies
    assert "no-store" in answer["Cache-Control"]
    assert answer["Content-Type"] == "application/json"


@pytest.mark.parametrize("last", [None, 10])
def test_mail_that_is_due_and_that_nobody_claims_turns_it_red(
    client: Client, ticking: None, acme: Tenant, last: float | None
):
    make_waiting(acme, minutes=3)
    if last is not None:
        claimed(minutes=last)

    answer = client.get("/healthz")

    assert answer.status_code == 503
    assert answer.json()["status"] == "degraded"
    assert "no worker has claimed" in answer.json()["reasons"][0]
    assert client.get("/healthz?for=pages").status_code == 200


def test_a_minute_more_or_less_is_a_setting(client: Client, ticking: None, acme: Tenant, settings: Any):
    make_waiting(acme, minutes=3)
    settings.HEALTH_STALLED_SECONDS = 240.0

    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("status", [Task.Status.PAUSED, Task.Status.FINISHED, Task.Status.SCHEDULED])
def test_what_nobody_is_to_send_is_no_reason(client: Client, ticking: None, acme: Tenant, status: str):
    message = make_waiting(acme, minutes=30)
    Task.objects.filter(pk=message.task_id).update(status=status)

    assert client.get("/healthz").json()["status"] == "ok"


def test_a_pause_of_all_sending_is_said_and_no_reason(client: Client, ticking: None, acme: Tenant):
    make_waiting(acme, minutes=30)
    services.pause_platform(user=None, reason="Works on the network")

    answer = client.get("/healthz")

    assert (answer.status_code, answer.json()["sending_paused"]) == (200, True)
    # Once it is resumed the workers have their two minutes.
    services.resume_platform(user=None)
    assert client.get("/healthz").status_code == 200
    PlatformSending.objects.update(changed_at=timezone.now() - timedelta(minutes=3))
    assert client.head("/healthz").status_code == 503


def test_a_sweep_that_does_not_run_is_said_but_not_red(client: Client):
    Heartbeat.objects.create(name=pulse.SWEEP, at=timezone.now() - timedelta(minutes=11))

    answer = client.get("/healthz")

    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert "The sweep last ran 66" in answer.json()["reasons"][0]


def test_a_missing_migration_turns_it_red(client: Client, ticking: None):
    MigrationRecorder(connection).record_unapplied("email_service", "0003_message_ends")

    answer = client.get("/healthz?for=pages")

    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["Migrations are missing: email_service.0003_message_ends."]


def test_a_database_that_does_not_answer_turns_it_red(tmp_path: Any):
    """In a process of its own: nothing listens where its database should be."""
    program = (
        "import django; django.setup()\n"
        "from django.test import Client\n"
        "answer = Client().get('/healthz')\n"
        "print(answer.status_code, answer.json()['reasons'][0])\n"
    )
    environment = {
        "ENV_FILE": str(ROOT / "tests" / "test.env"),
        "DJANGO_SETTINGS_MODULE": "koomessage.settings",
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing",
        "PYTHONPATH": str(ROOT),
    }

    result = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.stdout.strip() == "503 The database does not answer: OperationalError.", result.stderr
