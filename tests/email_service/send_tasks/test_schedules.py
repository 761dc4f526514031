"""Times people choose, and hours that pass while nothing runs (F-51, F-13)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from email_service.send_details.models import Message
from email_service.send_tasks import reasons, services, sweep
from email_service.send_tasks.models import Task
from iam.models import Tenant, User
from tests.email_service.delivery.peer import Peer
from tests.email_service.send_tasks.sending import deliver_all, make_sending_tenant, sender_of, submit
from tests.factories import make_user
from tests.factories_sending import make_version


def scheduled_at(tenant: Tenant, due_at: str) -> dict[str, Any]:
    return {
        "name": "Spring",
        "subject": "Hello",
        "template": make_version(tenant).template.pk,
        "address": sender_of(tenant).pk,
        "send_type": "scheduled",
        "due_at": due_at,
        "source": "manual",
        "recipients": "a@qq.com",
        "submission_key": "7f1f6fb4-9a3c-4d6a-8a40-0d4f0a3a9a51",
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("zone", "now", "due_at", "expected"),
    [
        # Clocks go from 02:00 to 03:00: there is no such time, so nobody guesses which was meant.
        ("Europe/Berlin", "2027-03-27T12:00", "2027-03-28T02:30", None),
        ("America/New_York", "2027-03-13T12:00", "2027-03-14T02:30", None),
        # Clocks go back: of a time that comes twice the first is meant.
        ("Europe/Berlin", "2027-10-30T12:00", "2027-10-31T02:30", "2027-10-31T00:30"),
        ("America/New_York", "2027-11-06T12:00", "2027-11-07T01:30", "2027-11-07T05:30"),
        # Around it the account's own time counts, winter's or summer's.
        ("Europe/Berlin", "2027-03-27T12:00", "2027-03-28T01:59", "2027-03-28T00:59"),
        ("Europe/Berlin", "2027-03-27T12:00", "2027-03-28T03:00", "2027-03-28T01:00"),
        ("America/New_York", "2027-03-13T12:00", "2027-03-14T03:00", "2027-03-14T07:00"),
        ("Asia/Shanghai", "2027-03-27T12:00", "2027-03-28T02:30", "2027-03-27T18:30"),
        # Past, and more than a year ahead.
        ("Asia/Shanghai", "2027-03-27T12:00", "2027-03-27T19:59", None),
        ("Asia/Shanghai", "2027-03-27T12:00", "2037-03-27T12:00", None),
    ],
)
def test_an_hour_is_read_in_the_accounts_zone_or_refused_at_its_field(
    owner: User, *, zone: str, now: str, due_at: str, expected: str | None
) -> None:
    acme, client = owner.tenant, Client()
    Tenant.objects.filter(pk=acme.pk).update(time_zone=zone)
    with time_machine.travel(datetime.fromisoformat(now).replace(tzinfo=UTC), tick=False):
        client.force_login(owner, backend="iam.backends.StaffBackend")
        answer = client.post(reverse("email:task_add"), scheduled_at(acme, due_at))

    if expected is None:
        assert answer.status_code == 422
        assert answer.context["form"].errors.keys() == {"due_at"}
        assert due_at in answer.content.decode(), "what was typed stays"
        assert not Task.objects.exists()
    else:
        assert answer.status_code == 302
        assert Task.objects.get().due_at == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def due_ago(tenant: Tenant, ago: timedelta) -> Task:
    """A task that was due while nothing ran."""
    task = submit(
        tenant, "a@qq.com", "b@qq.com", send_type="scheduled", due_at=timezone.now() + timedelta(hours=1)
    )
    due = timezone.now() - ago
    Task.objects.filter(pk=task.pk).update(due_at=due)
    Message.objects.filter(task=task).update(accepted_at=due, next_attempt_at=due)
    return task


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("hours", [6, 23.9])
def test_a_task_due_while_nothing_ran_is_sent_once_when_things_run_again(peer: Peer, hours: float) -> None:
    task = due_ago(make_sending_tenant(peer), timedelta(hours=hours))

    sweep.sweep()
    sweep.sweep()
    deliver_all()

    task.refresh_from_db()
    assert (task.status, peer.recipients) == ("finished", ["a@qq.com", "b@qq.com"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("hours", [24.1, 400])
def test_a_task_due_too_long_ago_waits_for_somebody_to_say_so(peer: Peer, hours: float) -> None:
    tenant = make_sending_tenant(peer)
    task = due_ago(tenant, timedelta(hours=hours))

    sweep.sweep()
    deliver_all()

    task.refresh_from_db()
    assert (task.status, task.status_reason, peer.recipients) == ("paused", "late", [])
    client = Client()
    client.force_login(make_user(tenant, is_main=True), backend="iam.backends.StaffBackend")
    with translation.override("zh-hans"):
        assert reasons.task_sentence("late") in client.get(task.get_absolute_url()).content.decode()
    services.resume_task(task, user=make_user(tenant))
    deliver_all()
    task.refresh_from_db()
    assert (task.status, peer.recipients) == ("finished", ["a@qq.com", "b@qq.com"])
