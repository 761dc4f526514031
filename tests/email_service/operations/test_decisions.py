"""What becomes of a message in doubt, as an operator decides."""

import threading
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from billing.models import UnitEntry
from email_service.operations import services
from email_service.send_details.models import DirtyHour, Event, Message
from email_service.send_tasks import progress
from email_service.send_tasks.integrity import checks
from email_service.send_tasks.models import Task
from iam.models import AuditEntry, Tenant, User
from koomessage.common.errors import RuleViolation
from tests.conftest import FRAGMENT
from tests.email_service.delivery.peer import Action, KeepAndCut, Peer, Session
from tests.email_service.operations.test_engine_page import make_held
from tests.email_service.send_tasks.sending import deliver_all, make_sending_tenant, submit
from tests.factories import make_staff

pytestmark = pytest.mark.django_db


def decide_url(message: Message, decision: str) -> str:
    return reverse("email:engine_decide", args=[message.pk, decision])


def audited() -> list[str]:
    found = AuditEntry.objects.filter(action__startswith="kooMessage:emailSendDetail:decide")
    return list(found.order_by("pk").values_list("action", flat=True))


@pytest.mark.parametrize(
    ("decision", "status", "reason"),
    [("resend", "pending", ""), ("delivered", "delivered", ""), ("failed", "failed", "platform")],
)
def test_each_decision_is_asked_for_carried_out_and_on_record(
    as_operator: Client, acme: Tenant, decision: str, status: str, reason: str
):
    message = make_held(acme)
    url = decide_url(message, decision)

    dialog = as_operator.get(url, **FRAGMENT)
    assert dialog.status_code == 200
    assert str(message.pk) in dialog.content.decode()
    message.refresh_from_db()
    assert message.status == "held"

    answer = as_operator.post(url)

    assert (answer.status_code, answer["Location"]) == (302, "/email/engine/")
    message.refresh_from_db()
    assert (message.status, message.end_reason, message.lease_token) == (status, reason, None)
    assert (message.finished_at is None) == (status == "pending")
    assert (message.next_attempt_at is None) == (status != "pending")
    kinds = ["decided"] if status == "pending" else ["decided", "ended"]
    assert list(message.events.order_by("pk").values_list("kind", flat=True)) == kinds
    assert DirtyHour.objects.filter(task=message.task_id).exists()
    entry = AuditEntry.objects.get(action=f"kooMessage:emailSendDetail:decide:{decision}")
    assert (entry.tenant, entry.login, entry.target) == (acme, "operator", str(message.pk))


@pytest.mark.parametrize("decision", list(services.DECISIONS))
def test_the_same_decision_twice_is_one(as_operator: Client, acme: Tenant, decision: str):
    message = make_held(acme)

    codes = [as_operator.post(decide_url(message, decision)).status_code for _ in range(2)]

    assert codes == [302, 302]
    assert message.events.filter(kind="decided").count() == 1
    assert audited() == [f"kooMessage:emailSendDetail:decide:{decision}"]


def test_another_decision_comes_too_late_and_is_told_so(as_operator: Client, acme: Tenant):
    message = make_held(acme)
    as_operator.post(decide_url(message, "delivered"))

    answer = as_operator.post(decide_url(message, "resend"), **FRAGMENT)

    assert answer.status_code == 422
    message.refresh_from_db()
    assert message.status == "delivered"


def test_what_was_never_in_doubt_cannot_be_decided(as_operator: Client, acme: Tenant):
    message = make_held(acme)
    Message.objects.update(status="rejected")

    assert as_operator.post(decide_url(message, "delivered")).status_code == 422
    assert as_operator.get(f"/email/engine/{message.pk}/unsend/").status_code == 404
    assert as_operator.get("/email/engine/999999/resend/").status_code == 404


def test_nothing_is_sent_again_of_a_cancelled_task(as_operator: Client, acme: Tenant):
    message = make_held(acme)
    Task.objects.update(status=Task.Status.CANCELLED)

    assert as_operator.post(decide_url(message, "resend")).status_code == 422
    message.refresh_from_db()
    assert message.status == "held"
    assert as_operator.post(decide_url(message, "failed")).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_of_decisions_at_once_exactly_one_counts():
    operator = make_staff()
    message = make_held(make_sending_tenant())
    gate = threading.Barrier(3)
    said: list[Any] = []

    def decide(decision: str) -> None:
        gate.wait(10)
        try:
            said.append(
                services.decide_held(message, decision=decision, user=User.objects.get(pk=operator.pk))
            )
        except RuleViolation:
            said.append("refused")
        finally:
            connections.close_all()

    people = [threading.Thread(target=decide, args=[decision]) for decision in services.DECISIONS]
    for person in people:
        person.start()
    for person in people:
        person.join(30)

    assert sorted(map(str, said)) == ["True", "refused", "refused"]
    assert Event.objects.filter(kind="decided").count() == 1
    assert len(audited()) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("decision", "copies", "ends"),
    [("resend", 2, (2, 0, 2)), ("delivered", 1, (2, 0, 2)), ("failed", 1, (1, 1, 1))],
)
def test_a_lost_answer_held_and_decided_ends_the_task(
    peer: Peer, as_operator: Client, decision: str, copies: int, ends: tuple[int, int, int]
):
    """From the lost reply to the finished task, with the receiving server as witness."""
    lost: list[str] = []

    def script(session: Session, stage: str, argument: str) -> Action:
        if stage == "dot" and "lost@" in argument and not lost:
            lost.append(argument)
            return KeepAndCut()
        return None

    peer.script = script
    task = submit(make_sending_tenant(peer, in_doubt="hold"), "lost@qq.com", "b@qq.com")
    deliver_all()
    progress.refresh(task.pk)
    task.refresh_from_db()
    message = Message.objects.get(recipient="lost@qq.com")
    assert (message.status, task.status, task.pending_count) == ("held", Task.Status.SENDING, 1)

    as_operator.post(decide_url(message, decision))
    deliver_all()

    task.refresh_from_db()
    assert peer.recipients.count("lost@qq.com") == copies
    assert len({message_id for message_id, _ in peer.received}) == 2
    assert task.status == Task.Status.FINISHED
    entries = UnitEntry.objects.filter(reference=task.code, kind=UnitEntry.Kind.CONSUME)
    consumed = sum(abs(entry.units) for entry in entries)
    assert (task.delivered_count, task.failed_count, consumed) == ends
    assert [check.problems for check in checks() if check.problems] == []


def test_the_account_reads_why_its_mail_and_its_task_wait(as_owner: Client, acme: Tenant):
    message = make_held(acme)

    detail = as_owner.get(message.get_absolute_url()).content.decode()
    task = as_owner.get(message.task.get_absolute_url()).content.decode()

    assert "无法确定这封邮件是否已送达" in detail
    assert "状态未知" in task
    assert "任务将保持发送中" in task


def test_the_account_reads_in_the_timeline_what_was_decided_and_not_by_whom(
    as_operator: Client, as_owner: Client, acme: Tenant
):
    message = make_held(acme)
    as_operator.post(decide_url(message, "failed"))

    page = as_owner.get(message.get_absolute_url()).content.decode()

    assert "平台已决定" in page
    assert "operator" not in page
