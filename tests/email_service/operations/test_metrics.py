"""/metrics: closed without a token, and what it tells of a real run."""

import re
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from email_service.send_tasks import dispatch, progress, pulse
from email_service.send_tasks.models import Claim
from email_service.send_tasks.models_workers import Tally
from tests.architecture.source import ROOT
from tests.email_service.delivery.peer import Peer, Say
from tests.email_service.send_tasks.sending import deliver_all, make_sending_tenant, submit
from tests.factories_sending import make_message, make_task

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "a-token-for-prometheus"


@pytest.fixture(autouse=True)
def _with_a_token(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN


def scrape(client: Client, token: str = TOKEN) -> dict[str, float]:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    assert not answer.cookies
    lines = [line for line in answer.content.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_without_a_token_set_there_is_no_such_page(client: Client, as_operator: Client, settings: Any):
    settings.METRICS_TOKEN = ""

    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
    assert as_operator.get("/metrics").status_code == 404


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN])
def test_who_does_not_bring_the_token_sees_nothing(client: Client, header: str):
    answer = client.get("/metrics", headers={"Authorization": header})

    assert (answer.status_code, answer["WWW-Authenticate"], answer.content) == (401, "Bearer", b"")


def test_a_run_is_told_by_outcome_verdict_and_stage(peer: Peer, client: Client):
    peer.script = lambda session, stage, argument: (
        Say("550 5.1.1 No such user")
        if stage == "rcpt" and "gone" in argument
        else Say("451 4.7.1 Later")
        if stage == "rcpt" and "later" in argument
        else None
    )
    task = submit(make_sending_tenant(peer), "a@qq.com", "b@qq.com", "gone@qq.com", "later@163.com")
    deliver_all()
    progress.refresh(task.pk)

    found = scrape(client)

    assert found['koomessage_messages_total{outcome="delivered"}'] == 2
    assert found['koomessage_messages_total{outcome="failed"}'] == 1
    assert found["koomessage_messages_unfinished"] == 1
    assert found["koomessage_messages_due"] == 0
    assert found['koomessage_attempts_total{verdict="delivered"}'] == 2
    assert found['koomessage_attempts_total{verdict="failed"}'] == 1
    assert found["koomessage_claims_total"] == 1
    assert found["koomessage_workers"] == 1
    assert found["koomessage_connections_open"] >= 1
    assert found["koomessage_journal_lag_replies"] == 0
    for stage in pulse.STAGES:
        assert found[f'koomessage_stage_seconds_total{{stage="{stage}"}}'] > 0, stage
    # django-prometheus' own figures of the pages stand beside them.
    assert any(name.startswith("django_http_requests_before_middlewares_total") for name in found)


def test_what_waits_is_told_with_its_age(client: Client, acme: Any):
    since = timezone.now() - timedelta(minutes=5)
    task = make_task(acme)
    for number in range(3):
        make_message(task, accepted_at=since + timedelta(minutes=number))
    make_message(task, lease_token=9)
    make_message(task, status="held", finished_at=None)
    Claim.objects.create(token=9, worker="w", host="h", task=task, lease_until=timezone.now())

    found = scrape(client)

    assert (found["koomessage_messages_due"], found["koomessage_messages_claimed"]) == (3, 1)
    assert 299 < found["koomessage_queue_age_seconds"] < 330
    assert (found["koomessage_messages_held"], found["koomessage_sending_paused"]) == (1, 0)
    assert (found["koomessage_claims_open"], found["koomessage_claims_overdue"]) == (0, 1)


def test_claims_taken_over_from_a_silent_host_are_counted(client: Client, acme: Any):
    long_ago = timezone.now() - timedelta(hours=1)
    Claim.objects.create(token=3, worker="w", host="far", task=make_task(acme), lease_until=long_ago)

    dispatch.give_up_silent()

    assert scrape(client)["koomessage_claims_expired_total"] == 1


def test_no_label_names_an_account_a_domain_or_an_address(peer: Peer, client: Client):
    tenant = make_sending_tenant(peer)
    submit(tenant, "a@qq.com")
    deliver_all()

    names = "\n".join(name for name in scrape(client) if name.startswith("koomessage_"))

    assert set(re.findall(r"(\w+)=", names)) <= {"outcome", "verdict", "stage"}
    assert tenant.account not in names
    assert "qq.com" not in names


def test_console_processes_of_a_host_add_up_in_a_folder(tmp_path: Any):
    program = (
        "import django; django.setup()\n"
        "from django.test import Client\n"
        "from email_service.operations.views_public import _of_this_host\n"
        "Client().get('/language/')\n"
        "print(_of_this_host().decode())\n"
    )
    environment = {
        "ENV_FILE": str(ROOT / "tests" / "test.env"),
        "DJANGO_SETTINGS_MODULE": "koomessage.settings",
        "DATA_DIR": str(tmp_path),
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "figures"),
        "PYTHONPATH": str(ROOT),
    }
    shown = ""
    for _ in range(2):
        shown = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert "django_http_requests_before_middlewares_total 2.0" in shown


def test_several_workers_add_up(db: Any, client: Client):
    for host in ("one", "two"):
        pulse.tally(host, {(pulse.ATTEMPTS, "delivered"): 2.0, (pulse.SECONDS, "smtp"): 0.5})
    pulse.tally("one", {(pulse.ATTEMPTS, "delivered"): 1.0})

    found = scrape(client)

    assert found['koomessage_attempts_total{verdict="delivered"}'] == 5
    assert found['koomessage_stage_seconds_total{stage="smtp"}'] == 1
    assert Tally.objects.count() == 4
