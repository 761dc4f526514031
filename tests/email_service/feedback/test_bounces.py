"""Whom receiving servers refuse for good is suppressed, through the real engine and a scripted server."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from email_service.feedback import bounces
from email_service.feedback.models import Suppression
from email_service.send_details import outcomes
from email_service.send_details.models import Event, Message
from email_service.send_tasks import dispatch
from email_service.setup.models import EmailService
from iam.models import Tenant
from tests.email_service.delivery.internet import internet_in
from tests.email_service.delivery.peer import Action, Peer, Say, Session
from tests.email_service.send_details.test_outcomes import outcome
from tests.email_service.send_tasks.conftest import Hints, hints, peer
from tests.email_service.send_tasks.sending import deliver_all, make_sending_tenant, submit
from tests.factories import make_email_service, make_tenant, make_transport
from tests.factories_sending import make_message, make_task

__all__ = ["Hints", "hints", "peer"]
pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime.fromisoformat("2026-08-16T12:00:00+00:00")
FULL = "552 5.2.2 Over quota"


def listed() -> list[tuple[str, str]]:
    return list(Suppression.objects.order_by("pk").values_list("address_key", "reason"))


def refusal(message: Message, token: int, text: str = "User unknown", **overrides: Any) -> Any:
    fields = {"code": 550, "enhanced": "5.1.1", "text": text, "verdict": "failed", "lease_token": token}
    return outcome(message, "failed", **{**fields, **overrides})


def refusing(line: str, *, at: str = "rcpt") -> Callable[[Session, str, str], Action]:
    """Answer so for every address that begins with gone, and take the others."""
    return lambda session, stage, argument: Say(line) if stage == at and "gone" in argument.lower() else None


@pytest.mark.parametrize(
    "line",
    [
        "550 5.1.1 User unknown",
        "550 5.1.2 No such domain here",
        "556 5.1.10 Recipient address has null MX",
        "550 No such user here",
        "550 Mailbox not found. http://service.mail.qq.com/",
    ],
)
@pytest.mark.parametrize("stage", ["rcpt", "dot"])
def test_an_unknown_mailbox_fails_and_is_suppressed_after_one(peer: Peer, line: str, stage: str) -> None:
    peer.script = refusing(line, at=stage)
    tenant = make_sending_tenant(peer)
    submit(tenant, "Gone@qq.com", "here@qq.com")

    deliver_all()

    gone = Message.objects.get(recipient_key="gone@qq.com")
    assert (gone.status, gone.end_reason) == ("failed", "")
    row = Suppression.objects.get()
    assert (row.tenant, row.address_key, row.reason, row.message) == (tenant, "gone@qq.com", "bounce", gone)
    assert row.note.startswith(line[:3])
    assert line.rsplit(maxsplit=1)[-1] in row.note
    assert list(gone.events.values_list("kind", flat=True)) == ["ended", "suppressed"]
    assert Message.objects.get(recipient_key="here@qq.com").status == "delivered"


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("550 5.7.1 Message refused by policy", "rejected"),
        ("554 5.7.1 Recipient unknown to this policy", "rejected"),
        ("550 Domain frequency limited. http://service.mail.qq.com/", "pending"),
        ("450 4.2.1 User unknown for now", "pending"),
        ("451 4.7.1 Greylisted", "pending"),
        ("550 5.1.8 Sender address rejected: Domain not found", "failed"),
        ("552 5.3.4 Message too big", "failed"),
        ("550 Refused", "failed"),
        (FULL, "failed"),
        ("452 4.2.2 Mailbox full", "pending"),
    ],
)
def test_nobody_is_suppressed_for_anything_else(peer: Peer, line: str, status: str) -> None:
    peer.script = refusing(line)
    submit(make_sending_tenant(peer), "gone@qq.com")

    dispatch.deliver_batch()

    assert Message.objects.get().status == status
    assert listed() == []
    assert not Event.objects.filter(kind="suppressed").exists()


def test_what_the_platform_itself_could_not_do_suppresses_nobody() -> None:
    submit(make_sending_tenant(None), "gone@qq.com")  # nothing listens there

    dispatch.deliver_batch()

    assert Message.objects.get().status == "pending"
    assert listed() == []
    dispatch.shut_down(1.0)


def test_a_domain_that_takes_no_mail_counts_as_an_unknown_mailbox(tmp_path: Any, settings: Any) -> None:
    with internet_in(tmp_path) as internet:
        settings.DNS_NAMESERVERS = [("127.0.0.1", internet.zone.port)]
        settings.DNS_TIMEOUT_SECONDS = 1.0
        settings.DIRECT_PORT = internet.port
        internet.domain("null.example", (0, "."))
        internet.server("mx.private.example", "127.0.0.2")
        internet.domain("private.example", "mx.private.example")
        tenant = make_tenant()
        make_email_service(tenant, transport=make_transport(kind="direct", host=""))
        submit(tenant, "a@null.example", "b@nowhere.example", "c@private.example")

        deliver_all()
        dispatch.shut_down(1.0)

    assert listed() == [("a@null.example", "bounce"), ("b@nowhere.example", "bounce")]
    assert Message.objects.get(domain="private.example").status == "failed"
    assert Suppression.objects.get(address="a@null.example").note.startswith("5.1.10 ")


def test_other_mail_of_the_account_to_the_address_ends_as_rejected(peer: Peer) -> None:
    peer.script = refusing("550 5.1.1 User unknown")
    tenant, other = make_sending_tenant(peer), make_sending_tenant(peer)
    in_an_hour = timezone.now() + timedelta(hours=1)
    later = submit(tenant, "gone@qq.com", "here@qq.com", send_type="scheduled", due_at=in_an_hour)
    strangers = submit(other, "gone@qq.com", send_type="scheduled", due_at=in_an_hour)
    submit(tenant, "gone@qq.com")

    deliver_all()

    ended = later.messages.get(recipient="gone@qq.com")
    assert (ended.status, ended.end_reason) == ("rejected", "suppressed")
    assert later.messages.get(recipient="here@qq.com").status == "pending"
    assert strangers.messages.get().status == "pending"
    assert peer.recipients == []


def test_where_a_crash_left_other_mail_waiting_the_worker_rejects_it(peer: Peer, monkeypatch: Any) -> None:
    tenant = make_sending_tenant(peer)
    other = submit(tenant, "gone@qq.com")
    first = make_message(make_task(tenant, status="finished"), recipient="gone@qq.com", lease_token=7)

    def died(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("The worker died here.")

    with monkeypatch.context() as patch:
        patch.setattr(outcomes, "reject_suppressed", died)
        with pytest.raises(RuntimeError):
            bounces.record([refusal(first, 7)], now=timezone.now())
    assert other.messages.get().status == "pending"

    deliver_all()

    assert other.messages.get().status == "rejected"
    assert peer.recipients == []


def test_the_list_and_the_messages_page_tell_of_it(peer: Peer, as_owner: Client, acme: Tenant) -> None:
    peer.script = refusing("550 5.1.1 No such <user>")
    EmailService.objects.filter(tenant=acme).update(transport=make_transport(port=peer.port))
    task = submit(acme, "gone@qq.com")
    deliver_all()
    message = task.messages.get()

    page = as_owner.get("/email/suppression/").content.decode()
    detail = as_owner.get(message.get_absolute_url()).content.decode()

    assert "硬退信" in page
    assert "550 5.1.1 No such &lt;user&gt;" in page
    assert message.get_absolute_url() in page
    assert "gone@qq.com" in as_owner.get("/email/suppression/", {"reason": "bounce"}).content.decode()
    assert "地址已进入抑制名单" in detail
