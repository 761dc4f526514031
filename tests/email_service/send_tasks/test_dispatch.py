"""From pending messages to outcomes, through a real server on loopback."""

import pytest

from email_service.send_details.models import Attempt, Message
from email_service.send_tasks import dispatch
from email_service.send_tasks.models import Claim, Task
from tests.email_service.delivery.peer import Peer, Say
from tests.email_service.send_tasks.sending import deliver_all, make_sending_tenant, sender_of, submit

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_recipient_gets_one_signed_mail_and_the_task_is_finished(peer: Peer) -> None:
    task = submit(make_sending_tenant(peer), "one@qq.com", "two@163.com")

    deliver_all()

    task.refresh_from_db()
    assert peer.recipients == ["one@qq.com", "two@163.com"]
    assert all(b"DKIM-Signature:" in mail for mail in peer.mails)
    assert task.status == Task.Status.FINISHED
    assert (task.accepted_count, task.delivered_count, task.pending_count) == (2, 2, 0)
    assert set(Message.objects.values_list("status", "lease_token", "attempts")) == {("delivered", None, 1)}
    assert Attempt.objects.filter(verdict="delivered", code=250).count() == 2
    assert not Claim.objects.exists()


@pytest.mark.parametrize(
    ("mx", "spf", "is_own"),
    [
        (("mx.koomessage.example", "ok"), "ok", True),
        (("mx.koomessage.example\nmx.other.example", "ok"), "ok", False),
        (("mx.other.example", "failed"), "ok", False),
        (("mx.koomessage.example", "unknown"), "ok", False),
        (("mx.koomessage.example", "ok"), "failed", False),
    ],
)
def test_bounces_come_to_the_senders_own_domain_where_its_only_mail_server_is_the_platform(
    peer: Peer, mx: tuple[str, str], spf: str, is_own: bool
) -> None:
    tenant = make_sending_tenant(peer)
    domain = sender_of(tenant).domain
    domain.records.filter(purpose="mx").update(current=mx[0], status=mx[1])
    domain.records.filter(purpose="spf").update(status=spf)
    submit(tenant, "one@qq.com")

    deliver_all()

    (sender,) = peer.senders
    assert sender.rpartition("@")[2] == (domain.name if is_own else "bounce.koomessage.example")


def test_a_refusal_is_written_down_with_the_servers_reply(peer: Peer) -> None:
    peer.script = lambda session, stage, argument: Say("550 5.1.1 No such user") if stage == "rcpt" else None
    task = submit(make_sending_tenant(peer), "gone@qq.com")

    deliver_all()

    attempt = Attempt.objects.get()
    assert (attempt.code, attempt.enhanced) == (550, "5.1.1")
    assert "No such user" in attempt.text
    task.refresh_from_db()
    assert (task.status, task.failed_count) == (Task.Status.FINISHED, 1)
    assert not dispatch.deliver_batch()
