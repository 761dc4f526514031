"""取消剩余, 暂停 and 继续 of a task while a worker sends it."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.models import UnitEntry
from email_service.send_details.models import Message
from email_service.send_tasks import dispatch, progress, services
from email_service.send_tasks.integrity import checks
from email_service.send_tasks.models import Task
from iam.models import AuditEntry, Tenant
from tests.conftest import FRAGMENT
from tests.email_service.delivery.peer import Action, Peer, Session, Wait
from tests.email_service.send_tasks.sending import deliver_all, make_sending_tenant, submit
from tests.factories import make_user
from tests.factories_sending import make_message, make_task

pytestmark = pytest.mark.django_db
HELD_UP = 1.5


def address(task: Task, step: str) -> str:
    return reverse(f"email:task_{step}", args=[task.pk])


def deliver_beside(begun: threading.Event) -> threading.Thread:
    """Deliver in a worker's thread, and return once the first mail's body is at the server."""

    def work() -> None:
        try:
            dispatch.deliver_batch()
        finally:
            connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    assert begun.wait(20)
    return worker


def slow(begun: threading.Event) -> Callable[[Session, str, str], Action]:
    def script(session: Session, stage: str, argument: str) -> Action:
        if stage != "dot":
            return None
        begun.set()
        return Wait(HELD_UP)

    return script


def test_the_question_says_how_many_were_sent_and_the_page_what_became_of_the_rest(
    acme: Tenant, as_owner: Client
) -> None:
    task = make_task(acme, accepted_count=8, started_at=timezone.now())
    for status in ["delivered"] * 3 + ["failed", "rejected"]:
        make_message(task, status=status)
    for _ in range(2):
        make_message(task)
    make_message(task, lease_token=7)
    as_owner.cookies["django_language"] = "en"

    dialog = as_owner.get(address(task, "cancel_rest"), **FRAGMENT)
    said = "5 of 8 mails have been sent and stay sent; 3 have not. This cannot be undone."
    assert said in dialog.content.decode()
    answer = as_owner.post(address(task, "cancel_rest"))

    done = "The rest was cancelled: 5 mails had been sent, 2 were cancelled."
    on_its_way = "On their way until the servers answer: 1."
    assert [str(message) for message in get_messages(answer.wsgi_request)] == [f"{done} {on_its_way}"]
    Message.objects.filter(lease_token=7).update(status="delivered", lease_token=None)
    moving = as_owner.get(address(task, "progress"))
    assert (moving.status_code, moving.context["is_moving"]) == (200, True)
    progress.refresh(task.pk)
    page = as_owner.get(task.get_absolute_url()).content.decode().partition('id="toasts"')[0]
    assert done.replace("5", "6") in page
    assert on_its_way not in page
    assert as_owner.get(address(task, "progress")).status_code == 286


def test_what_is_in_doubt_is_neither_sent_nor_cancelled(acme: Tenant, as_owner: Client) -> None:
    task = make_task(acme, accepted_count=3, started_at=timezone.now())
    for status in ("delivered", "held", "pending"):
        make_message(task, status=status)
    as_owner.cookies["django_language"] = "en"

    dialog = as_owner.get(address(task, "cancel_rest"), **FRAGMENT).content.decode()
    page = as_owner.post(address(task, "cancel_rest"), follow=True).content.decode()

    assert "1 of 3 mails have been sent and stay sent; 1 have not." in dialog
    assert "The state of 1 more is unknown" in dialog
    assert "The rest was cancelled: 1 mails had been sent, 1 were cancelled." in page
    assert "On their way" not in page
    assert "The state of 1 mail is unknown" in page
    assert as_owner.get(address(task, "progress")).status_code == 286


@pytest.mark.django_db(transaction=True)
def test_what_a_worker_has_begun_ends_by_its_answer_and_the_rest_is_cancelled(peer: Peer) -> None:
    begun = threading.Event()
    peer.script = slow(begun)
    tenant = make_sending_tenant(peer)
    task = submit(tenant, *[f"r{number}@qq.com" for number in range(10)])
    other = submit(tenant, "other@qq.com")
    worker = deliver_beside(begun)

    services.cancel_rest(task, user=None)
    worker.join(30)
    deliver_all()
    progress.refresh(task.pk)

    task.refresh_from_db()
    sent = len([person for person in peer.recipients if person != "other@qq.com"])
    assert 0 < sent < 10
    assert (task.status, task.delivered_count, task.cancelled_count) == (
        Task.Status.CANCELLED,
        sent,
        10 - sent,
    )
    assert task.pending_count == 0
    other.refresh_from_db()
    assert other.status == Task.Status.FINISHED
    entries = UnitEntry.objects.filter(reference=task.code)
    assert sum(abs(e.units) for e in entries.filter(kind=UnitEntry.Kind.CONSUME)) == sent
    assert [check.problems for check in checks() if check.problems] == []


@pytest.mark.django_db(transaction=True)
def test_a_pause_stops_within_ten_seconds_and_resuming_sends_everybody_one_mail(peer: Peer) -> None:
    begun = threading.Event()
    peer.script = slow(begun)
    tenant = make_sending_tenant(peer)
    user = make_user(tenant)
    people = [f"r{number}@qq.com" for number in range(10)]
    task = submit(tenant, *people)
    worker = deliver_beside(begun)

    paused_at = time.monotonic()
    services.pause_task(task, user=user)
    worker.join(30)
    assert time.monotonic() - paused_at < 10
    sent = len(peer.recipients)
    assert 0 < sent < 10
    assert not dispatch.deliver_batch()
    assert Message.objects.filter(status="pending", lease_token=None).count() == 10 - sent

    peer.script = lambda session, stage, argument: None
    services.resume_task(task, user=user)
    deliver_all()

    assert sorted(peer.recipients) == sorted(people)
    task.refresh_from_db()
    assert (task.status, task.delivered_count) == (Task.Status.FINISHED, 10)


@pytest.mark.parametrize(
    ("before", "step", "after"), [("sending", "pause", "paused"), ("paused", "resume", "sending")]
)
def test_pressing_twice_is_pressing_once(
    acme: Tenant, as_owner: Client, before: str, step: str, after: str
) -> None:
    task = make_task(acme, status=before)

    answers = [as_owner.post(address(task, step), follow=True) for _ in range(2)]

    task.refresh_from_db()
    assert task.status == after
    assert all("alert-danger" not in answer.content.decode() for answer in answers)
    assert [m.level_tag for answer in answers for m in answer.context["messages"]] == ["success", "success"]
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("status", [Task.Status.FINISHED, Task.Status.CANCELLED, Task.Status.SCHEDULED])
@pytest.mark.parametrize("step", ["pause", "resume"])
def test_what_is_not_running_is_neither_paused_nor_resumed(
    acme: Tenant, as_owner: Client, status: str, step: str
) -> None:
    task = make_task(acme, status=status)

    answer = as_owner.post(address(task, step), follow=True)

    task.refresh_from_db()
    assert task.status == status
    assert [m.level_tag for m in answer.context["messages"]] == ["error"]


@pytest.mark.parametrize(
    ("status", "buttons"),
    [
        ("preparing", {"cancel"}),
        ("scheduled", {"cancel"}),
        ("sending", {"pause", "cancel-rest"}),
        ("paused", {"resume", "cancel-rest"}),
        ("quota_paused", {"cancel-rest"}),
        ("finished", set()),
        ("cancelled", set()),
        ("failed", set()),
    ],
)
def test_each_state_has_its_buttons(acme: Tenant, as_owner: Client, status: str, buttons: Any) -> None:
    page = as_owner.get(make_task(acme, status=status).get_absolute_url()).content.decode()

    assert {
        name for name in ("cancel", "pause", "resume", "cancel-rest") if f'id="task-{name}"' in page
    } == buttons
