"""`manage.py check_integrity`: silent about what adds up, exits 1 on every kind of damage."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from email_service.reports import aggregation
from email_service.reports.models import HourTotal, Report
from email_service.send_details import outcomes
from email_service.send_details.models import Event, Message
from email_service.send_tasks.models import Task
from iam.models import Tenant
from tests.factories import make_tenant
from tests.factories_sending import make_message, make_task

pytestmark = pytest.mark.django_db


def check() -> str:
    out = io.StringIO()
    call_command("check_integrity", stdout=out)
    return out.getvalue()


@pytest.fixture
def message(acme: Tenant) -> Message:
    """The one delivered message of a finished task whose figures are right."""
    task = make_task(acme, status=Task.Status.FINISHED, accepted_count=1, delivered_count=1)
    message = make_message(task, status="delivered")
    Event.objects.create(message=message, tenant=acme, kind="ended", at=message.accepted_at)
    outcomes.mark_dirty([(acme.pk, task.pk, message.accepted_at)])
    aggregation.refresh(message.accepted_at)
    return message


def test_what_adds_up_is_said_with_its_figures(message: Message) -> None:
    told = check()

    assert "Everything adds up." in told
    assert "1  recipients accepted are the sum of the messages by status" in told


def test_hours_that_wait_to_be_counted_are_no_damage(message: Message) -> None:
    Report.objects.update(succeeded=9)
    outcomes.mark_dirty([(message.tenant_id, message.task_id, message.accepted_at)])

    assert "1 hours wait" in check()


def test_a_task_that_still_sends_may_show_older_figures(message: Message) -> None:
    Task.objects.update(status=Task.Status.SENDING, delivered_count=0)

    assert "Everything adds up." in check()


@pytest.mark.parametrize(
    "damage",
    [
        "lost message", "wrong counter", "waiting in a finished task", "wrong report", "lost report", "wrong total",
        "foreign message", "foreign event", "no end time",
    ],
)  # fmt: skip
def test_every_kind_of_damage_is_found(message: Message, damage: str) -> None:
    other = make_tenant()
    later = message.accepted_at + timedelta(hours=1)
    if damage == "lost message":
        Task.objects.update(accepted_count=2)
    elif damage == "wrong counter":
        Task.objects.update(failed_count=1)
    elif damage == "waiting in a finished task":
        Message.objects.update(status="pending", finished_at=None, next_attempt_at=later)
    elif damage == "wrong report":
        Report.objects.update(rejected=1)
    elif damage == "lost report":
        Report.objects.all().delete()
    elif damage == "wrong total":
        HourTotal.objects.update(succeeded=2)
    elif damage == "foreign message":
        Message.objects.update(tenant=other)
    elif damage == "foreign event":
        Event.objects.update(tenant=other)
    else:
        Message.objects.update(finished_at=None)

    with pytest.raises(CommandError, match="problems found"):
        check()
