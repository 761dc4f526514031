"""A task's page tells every step with its time and who took it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from email_service.send_details.models import Message
from email_service.send_tasks import progress, reasons, recipients, services, sweep
from email_service.send_tasks.models import Task
from email_service.send_tasks.models_events import TaskEvent
from email_service.send_tasks.timeline import timeline
from iam.models import Tenant, User
from tests.email_service.send_tasks.sending import sheet, submit
from tests.factories_sending import make_message, make_task, make_version

pytestmark = pytest.mark.django_db


def noted(task: Task) -> list[tuple[str, str]]:
    events = TaskEvent.objects.filter(task=task).order_by("pk")
    return [(event.kind, event.detail.get("by", "")) for event in events]


def scheduled(tenant: Tenant, due_at: datetime) -> Task:
    later = timezone.now() + timedelta(hours=1)
    task = submit(tenant, "a@qq.com", send_type="scheduled", due_at=later)
    Task.objects.filter(pk=task.pk).update(due_at=due_at)
    return task


def test_each_move_is_noted_with_the_person_who_made_it(acme: Tenant, owner: User, reader: User) -> None:
    task = services.submit_task(
        tenant=acme,
        user=owner,
        name="Spring",
        subject="Hello",
        template=make_version(acme).template,
        address=make_task(acme).address,
        submission_key="7f1f6fb4-9a3c-4d6a-8a40-0d4f0a3a9a51",  # type: ignore[arg-type]
        recipients=["a@qq.com"],
    )
    services.pause_task(task, user=reader)
    services.resume_task(task, user=owner)
    services.cancel_rest(task, user=reader)

    assert noted(task) == [
        ("submitted", "owner"),
        ("started", ""),
        ("paused", "reader"),
        ("resumed", "owner"),
        ("cancelled", "reader"),
    ]
    assert list(TaskEvent.objects.filter(kind="cancelled").values_list("user", flat=True)) == [reader.pk]


def test_a_move_that_is_refused_or_was_made_before_notes_nothing(acme: Tenant, owner: User) -> None:
    task = make_task(acme, status=Task.Status.PAUSED)

    services.pause_task(task, user=owner)

    assert not progress.pause(make_task(acme, status=Task.Status.FINISHED).pk, "mail")
    assert not TaskEvent.objects.exists()


def test_a_file_that_was_read_says_how_many_recipients_it_had(acme: Tenant) -> None:
    task = submit(acme, source="file", file=sheet(("email",), ("a@qq.com",), ("b@qq.com",), ("a@qq.com",)))

    recipients.read(task.pk)

    assert [kind for kind, _by in noted(task)] == ["submitted", "read", "started"]
    assert TaskEvent.objects.get(kind="read").detail == {"rows": 2}


def test_a_file_nobody_can_read_ends_the_task_with_its_reason(acme: Tenant) -> None:
    task = submit(acme, source="file", file=sheet(("email",), ("no address",)))

    recipients.read(task.pk)

    failed = TaskEvent.objects.get(kind="failed")
    assert (failed.task, failed.detail) == (task, {"reason": "nobody"})


def test_however_many_tasks_are_due_each_is_noted_once_by_as_many_queries(
    acme: Tenant, django_assert_max_num_queries: Any
) -> None:
    now = timezone.now()
    due = [scheduled(acme, now - timedelta(minutes=minutes)) for minutes in range(1, 8)]
    late = [scheduled(acme, now - timedelta(days=days)) for days in range(2, 6)]

    with django_assert_max_num_queries(7):  # the clock, a savepoint and its end, two updates, two inserts
        assert sweep.start_due() == len(due)
    sweep.start_due()

    assert all([kind for kind, _by in noted(task)] == ["submitted", "started"] for task in due)
    assert all([kind for kind, _by in noted(task)] == ["submitted", "paused"] for task in late)
    assert TaskEvent.objects.filter(kind="paused").first().detail == {"reason": "late"}  # type: ignore[union-attr]


def test_the_end_is_noted_by_whoever_counts_the_last_message(acme: Tenant) -> None:
    task = make_task(acme)
    message = make_message(task)
    progress.refresh(task.pk)
    assert noted(task) == []

    Message.objects.filter(pk=message.pk).update(status="delivered", finished_at=timezone.now())
    progress.refresh(task.pk)
    progress.refresh(task.pk)

    assert noted(task) == [("finished", "")]


def test_the_page_tells_the_steps_in_order_with_what_comes_next(
    acme: Tenant, owner: User, as_owner: Client
) -> None:
    task = submit(acme, "a@qq.com")
    services.pause_task(task, user=owner)
    task.refresh_from_db()

    steps = timeline(task)
    page = as_owner.get(task.get_absolute_url()).content.decode()

    assert [(str(step.label), step.is_done) for step in steps] == [
        ("Submitted", True),
        ("Sending began", True),
        ("Paused", True),
        ("Finished", False),
    ]
    assert steps[2].by == "owner"
    assert page.count('<li class="is-done">') == 3


@pytest.mark.parametrize(
    ("status", "hours", "expected"),
    [
        ("scheduled", 1, [("Submitted", True), ("Due", False), ("Finished", False)]),
        ("paused", -30, [("Due", True), ("Submitted", True), ("Finished", False)]),
        ("cancelled", 1, [("Submitted", True), ("Cancelled", True)]),
        ("cancelled", -1, [("Submitted", True), ("Cancelled", True)]),
    ],
)
def test_a_task_older_than_its_notes_shows_what_it_knows(
    acme: Tenant, *, status: str, hours: int, expected: list[tuple[str, bool]]
) -> None:
    now = timezone.now()
    ends = {"finished_at": now + timedelta(minutes=1)} if status == "cancelled" else {}
    task = make_task(acme, status=status, send_type="scheduled", due_at=now + timedelta(hours=hours), **ends)

    assert [(str(step.label), step.is_done) for step in timeline(task)] == expected


def test_why_the_platform_paused_a_task_stands_beside_the_step(acme: Tenant) -> None:
    task = make_task(acme)
    progress.pause(task.pk, reasons.keep("mail"))
    task.refresh_from_db()

    assert [str(step.note) for step in timeline(task) if step.note] == ["Its mail could not be made"]
