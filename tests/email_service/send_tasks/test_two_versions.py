"""Two versions of the platform at once, as while it is deployed (F-19).

What this version does not know is left alone or refused; it crashes neither a worker nor a page.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from email_service.addresses import services as addresses
from email_service.reports import aggregation
from email_service.send_details.models import Attempt, Message
from email_service.send_tasks import dispatch, services, sweep
from email_service.send_tasks.models import Task
from email_service.setup.models import Transport
from koomessage.common.errors import RuleViolation
from tests.email_service.delivery.peer import Peer
from tests.email_service.send_tasks.sending import deliver_all, make_sending_tenant, sender_of, submit
from tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)
FUTURE = "someday"


def pages_of(task: Task) -> list[str]:
    rows = Message.objects.filter(task=task).values_list("pk", flat=True)
    return [
        reverse("email:task_list"),
        reverse("email:task_detail", args=[task.pk]),
        reverse("email:task_progress", args=[task.pk]),
        reverse("email:message_list"),
        *(reverse("email:message_detail", args=[pk]) for pk in rows),
        reverse("email:report"),
        "/",
    ]


def assert_pages_answer(task: Task) -> None:
    client = Client()
    client.force_login(
        make_user(task.tenant, is_main=not task.tenant.users.filter(is_main=True).exists()),
        backend="iam.backends.StaffBackend",
    )
    statuses = {address: client.get(address).status_code for address in pages_of(task)}
    assert set(statuses.values()) <= {200, 286}, statuses


def test_a_message_in_a_state_of_another_version_is_left_alone(peer: Peer) -> None:
    task = submit(make_sending_tenant(peer), "a@qq.com", "b@qq.com")
    Message.objects.filter(recipient="a@qq.com").update(status=FUTURE)

    sweep.sweep()
    deliver_all()
    sweep.sweep()
    while aggregation.refresh(timezone.now()):
        pass

    task.refresh_from_db()
    assert peer.recipients == ["b@qq.com"]
    assert (task.status, task.pending_count) == ("sending", 1), "it is not done as long as one is"
    assert_pages_answer(task)
    services.cancel_rest(task, user=None)
    assert Message.objects.get(recipient="a@qq.com").status == FUTURE
    Message.objects.filter(status=FUTURE).update(status="pending", next_attempt_at=timezone.now())
    sweep.sweep()
    task.refresh_from_db()
    assert (task.cancelled_count, task.delivered_count, task.pending_count) == (1, 1, 0)
    call_command("check_integrity")


def test_a_task_in_a_state_of_another_version_is_left_alone(peer: Peer) -> None:
    tenant = make_sending_tenant(peer)
    task = submit(tenant, "a@qq.com")
    other = submit(tenant, "b@qq.com")
    Task.objects.filter(pk=task.pk).update(status=FUTURE)
    user = make_user(tenant)

    sweep.sweep()
    deliver_all()

    assert peer.recipients == ["b@qq.com"]
    other.refresh_from_db()
    assert other.status == "finished"
    for decide in (services.cancel_task, services.cancel_rest, services.pause_task, services.resume_task):
        with pytest.raises(RuleViolation):
            decide(task, user=user)
    with pytest.raises(RuleViolation, match="still uses it"):
        addresses.delete_address(sender_of(tenant), user=user)
    task.refresh_from_db()
    assert task.status == FUTURE
    assert_pages_answer(task)


@contextmanager
def unchecked() -> Iterator[None]:
    """Let the table of transports take what only another version's constraint would let in."""
    constraint = next(row for row in Transport._meta.constraints if row.name == "a_relay_has_a_host")
    with connection.cursor() as cursor, connection.schema_editor() as editor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        else:
            editor.remove_constraint(Transport, constraint)
    try:
        yield
    finally:
        Transport.objects.update(kind="relay")
        with connection.cursor() as cursor, connection.schema_editor() as editor:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA ignore_check_constraints = OFF")
            else:
                editor.add_constraint(Transport, constraint)


def test_through_a_transport_of_another_version_nothing_is_sent_and_others_send(peer: Peer) -> None:
    task = submit(make_sending_tenant(peer), "a@qq.com")
    with unchecked():
        Transport.objects.update(kind="api")
        other = submit(make_sending_tenant(peer), "b@qq.com")

        sweep.sweep()
        deliver_all()

        task.refresh_from_db()
        other.refresh_from_db()
        assert peer.recipients == ["b@qq.com"]
        assert (task.status, task.status_reason, other.status) == ("paused", "mail", "finished")
        assert not Message.objects.exclude(lease_token=None).exists()
        assert_pages_answer(task)
    services.resume_task(task, user=make_user(task.tenant))
    deliver_all()
    assert peer.recipients == ["a@qq.com", "b@qq.com"]


def alter(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("table", ["message", "task", "attempt", "claim", "event", "transport"])
def test_tables_of_a_later_version_are_worked_with(peer: Peer, table: str) -> None:
    alter(f"ALTER TABLE email_service_{table} ADD COLUMN later varchar(8) NULL")
    try:
        task = submit(make_sending_tenant(peer), "a@qq.com", "b@qq.com")
        sweep.sweep()
        deliver_all()
        task.refresh_from_db()
        assert (task.status, peer.recipients) == ("finished", ["a@qq.com", "b@qq.com"])
        assert_pages_answer(task)
    finally:
        alter(f"ALTER TABLE email_service_{table} DROP COLUMN later")


@pytest.mark.parametrize(("table", "column"), [("message", "crashes"), ("attempt", "tls")])
def test_tables_of_an_earlier_version_send_nothing_twice_and_lose_nothing(
    peer: Peer, caplog: Any, table: str, column: str
) -> None:
    """A worker that is newer than the database: it cannot claim, or cannot write down what it sent."""
    task = submit(make_sending_tenant(peer), "a@qq.com", "b@qq.com")
    alter(f"ALTER TABLE email_service_{table} RENAME COLUMN {column} TO earlier")
    try:
        for _ in range(3):
            with pytest.raises(DatabaseError):
                dispatch.deliver_batch()
    finally:
        alter(f"ALTER TABLE email_service_{table} RENAME COLUMN earlier TO {column}")
    before = len(peer.received)
    caplog.clear()

    sweep.sweep()
    deliver_all()

    task.refresh_from_db()
    assert before == (0 if table == "message" else 2)
    assert (task.status, peer.recipients) == ("finished", ["a@qq.com", "b@qq.com"])
    assert not Attempt.objects.filter(in_doubt=True).exists()
