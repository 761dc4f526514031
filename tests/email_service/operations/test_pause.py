"""The pause of all sending, and of one account's: by the real engine, within ten seconds (F-50)."""

import threading
import time
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from email_service.send_details.models import Message
from email_service.send_tasks import dispatch
from email_service.send_tasks.models import Claim
from email_service.setup import services
from email_service.setup.models import EmailService, PlatformSending
from iam.models import AuditEntry, Tenant
from tests.conftest import FRAGMENT
from tests.email_service.delivery.peer import Action, Peer, Session, Wait
from tests.email_service.send_tasks.sending import deliver_all, make_sending_tenant, submit

MANY = 10


def pause_account() -> None:
    services.pause_sending(EmailService.objects.get(), user=None, reason="Complaints")


def pause_platform() -> None:
    services.pause_platform(user=None, reason="A blocklist has us")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("pause", [pause_account, pause_platform])
def test_a_pause_during_a_batch_stops_it_within_ten_seconds(peer: Peer, pause: Any):
    begun = threading.Event()
    stopped: list[float] = []

    def script(session: Session, stage: str, argument: str) -> Action:
        if stage == "dot":
            begun.set()
            stopped[1:] = [time.monotonic()]
        return Wait(1.0) if stage == "mail" else None

    def person() -> None:
        assert begun.wait(20)
        pause()
        stopped.insert(0, time.monotonic())
        connections.close_all()

    peer.script = script
    submit(make_sending_tenant(peer), *[f"r{number}@qq.com" for number in range(MANY)])
    operator = threading.Thread(target=person)
    operator.start()
    deliver_all()
    operator.join()

    sent = len(peer.recipients)
    assert 0 < sent < MANY
    assert stopped[-1] - stopped[0] < 10
    assert Message.objects.filter(status="pending", lease_token=None, attempts=0).count() == MANY - sent
    assert not Claim.objects.exists()
    # Nothing is claimed either, and nothing is lost or sent twice once it goes on.
    assert not dispatch.deliver_batch()
    peer.script = lambda session, stage, argument: None
    services.resume_platform(user=None)
    services.resume_sending(EmailService.objects.get(), user=None)
    deliver_all()
    assert peer.recipients == sorted(f"r{number}@qq.com" for number in range(MANY))


@pytest.mark.django_db
def test_an_operator_pauses_and_resumes_with_a_reason_on_record(as_operator: Client):
    assert as_operator.get("/email/engine/pause/").status_code == 200
    assert 'id="pause-form"' in as_operator.get("/email/engine/pause/", **FRAGMENT).content.decode()
    assert as_operator.post("/email/engine/pause/", {"reason": " "}).status_code == 422

    as_operator.post("/email/engine/pause/", {"reason": "A blocklist has us"})
    switch = PlatformSending.objects.get()
    assert (switch.paused, switch.reason, str(switch.changed_by)) == (True, "A blocklist has us", "operator")

    assert as_operator.get("/email/engine/resume/").status_code == 200
    as_operator.post("/email/engine/resume/")
    switch.refresh_from_db()
    assert (switch.paused, switch.reason) == (False, "")
    assert list(AuditEntry.objects.order_by("pk").values_list("action", "login")) == [
        ("kooMessage:platform:pauseSending", "operator"),
        ("kooMessage:platform:resumeSending", "operator"),
    ]


@pytest.mark.django_db
def test_pausing_twice_is_one_pause_and_keeps_the_first_reason():
    assert services.pause_platform(user=None, reason="First")
    assert not services.pause_platform(user=None, reason="Second")

    assert PlatformSending.objects.get().reason == "First"
    assert services.resume_platform(user=None)
    assert not services.resume_platform(user=None)
    assert AuditEntry.objects.count() == 2


@pytest.mark.django_db
def test_an_account_reads_why_its_own_sending_is_paused(as_owner: Client, as_stranger: Client, acme: Tenant):
    services.pause_sending(EmailService.objects.get(tenant=acme), user=None, reason="Too many complaints")

    assert "Too many complaints" in as_owner.get("/email/tasks/").content.decode()
    assert "Too many complaints" not in as_stranger.get("/email/tasks/").content.decode()
