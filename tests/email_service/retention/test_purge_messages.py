"""Messages of long ago are removed and counted for good: every figure says after it what it said before."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from billing import services as billing
from email_service.feedback.models import Suppression
from email_service.reports import aggregation
from email_service.reports.models import COUNTS, Report
from email_service.reports.periods import Kind, Span
from email_service.reports.queries import reception
from email_service.retention import jobs, purging
from email_service.send_details import outcomes
from email_service.send_details.models import Attempt, ClosedCount, DirtyHour, Event, Message
from email_service.send_tasks import progress, queries
from email_service.send_tasks.models import Task
from iam.models import Tenant
from tests.factories_sending import make_message, make_suppression, make_task

LONG_AGO = timedelta(days=30)
STATES = ("delivered", "delivered", "failed", "expired", "rejected", "cancelled")


def make_ended_task(tenant: Tenant, *, age: timedelta = LONG_AGO, copies: int = 1) -> Task:
    """A finished task with messages in every end, attempts, events, units and counted hours."""
    at = timezone.now() - age
    Tenant.objects.filter(pk=tenant.pk).update(pay_as_you_go=True)
    number = copies * len(STATES)
    task = make_task(tenant, accepted_count=number, pending_count=number)
    Task.objects.filter(pk=task.pk).update(created_at=at)
    billing.reserve_units(tenant=tenant, reference=task.code, units=number)
    for place in range(number):
        status = STATES[place % len(STATES)]
        reason = {"cancelled": "cancelled", "rejected": "suppressed"}.get(status, "")
        message = make_message(task, status=status, accepted_at=at, end_reason=reason)
        Attempt.objects.create(
            message=message, number=1, started_at=at, finished_at=at, verdict=status, text="Good bye"
        )
        Event.objects.create(
            message=message, tenant=tenant, kind=Event.Kind.ENDED, at=at, detail={"status": status}
        )
    outcomes.mark_dirty([(tenant.pk, task.pk, at)])
    progress.refresh(task.pk)
    aggregation.refresh(timezone.now())
    task.refresh_from_db()
    return task


def purge(**options: Any) -> str:
    out = io.StringIO()
    call_command("purge_messages", **{"older_than": 10, "stdout": out, **options})
    return out.getvalue()


def check() -> None:
    call_command("check_integrity", stdout=io.StringIO())


def figures(task: Task) -> Any:
    task.refresh_from_db()
    reports = list(Report.objects.order_by("pk").values_list("hour", *COUNTS))
    counters = (task.delivered_count, task.failed_count, task.rejected_count, task.cancelled_count)
    return reports, counters, queries.split(task)


@pytest.mark.django_db
def test_rows_go_and_every_figure_stays(acme: Tenant) -> None:
    old = make_ended_task(acme)
    young = make_message(make_task(acme, accepted_count=1, pending_count=1))
    before = figures(old)

    told = purge()

    assert told.startswith("6 messages removed")
    assert list(Message.objects.all()) == [young]
    assert not Attempt.objects.exists()
    assert not Event.objects.exists()
    progress.refresh(old.pk)
    outcomes.mark_dirty(
        [(acme.pk, old.pk, timezone.now() - LONG_AGO), (acme.pk, young.task_id, young.accepted_at)]
    )
    aggregation.refresh(timezone.now())
    assert figures(old)[1:] == before[1:]
    assert figures(old)[0][0] == before[0][0]
    check()


@pytest.mark.django_db
def test_what_waits_what_is_held_and_what_is_still_read_stays(acme: Tenant) -> None:
    at = timezone.now() - LONG_AGO
    task = make_task(acme)
    make_message(task, accepted_at=at)
    make_message(task, status="held", accepted_at=at, finished_at=None)
    make_message(make_task(acme, status="preparing", is_read=False), status="delivered", accepted_at=at)

    assert purge().startswith("0 messages removed")
    assert Message.objects.count() == 3


@pytest.mark.django_db
def test_an_hour_not_counted_yet_is_counted_first(acme: Tenant) -> None:
    task = make_ended_task(acme)
    Report.objects.all().delete()
    marked = make_ended_task(acme)
    Report.objects.filter(task=marked).update(succeeded=0)
    outcomes.mark_dirty([(acme.pk, marked.pk, timezone.now() - LONG_AGO)])

    purge()

    assert list(Report.objects.order_by("task").values_list("task", "succeeded")) == [
        (task.pk, 2),
        (marked.pk, 2),
    ]
    assert not DirtyHour.objects.exists()
    check()


@pytest.mark.django_db
def test_reception_still_counts_what_was_delivered(acme: Tenant) -> None:
    task = make_ended_task(acme)
    reader = Message.objects.filter(task=task).first()
    Event.objects.create(message=reader, tenant=acme, kind="unsubscribed", at=timezone.now() - LONG_AGO)
    today = timezone.now().date()
    span = Span(Kind.DAY, today - timedelta(days=60), today, timezone.get_current_timezone())
    before = reception(acme, span)

    purge()

    assert [(row.delivered, row.unsubscribed) for row in before] == [(2, 1)]
    assert reception(acme, span) == before


@pytest.mark.django_db
def test_a_suppression_outlives_the_message_that_caused_it(acme: Tenant) -> None:
    task = make_ended_task(acme)
    row = make_suppression(acme, message=Message.objects.filter(task=task).first())

    purge()

    assert Suppression.objects.get(pk=row.pk).message is None


@pytest.mark.django_db
def test_every_table_that_refers_to_messages_is_known() -> None:
    referring = {relation.related_model for relation in Message._meta.related_objects}

    assert referring == {*purging.GOES, *purging.FORGETS}


@pytest.mark.django_db
def test_one_account_alone_and_how_many_without_removing(acme: Tenant, globex: Tenant) -> None:
    make_ended_task(acme)
    theirs = make_ended_task(globex)

    assert "6 messages would be removed" in purge(tenant="ACME", dry_run=True)
    assert Message.objects.count() == 12
    purge(tenant="acme")

    assert set(Message.objects.values_list("task", flat=True)) == {theirs.pk}
    check()


@pytest.mark.django_db
@pytest.mark.parametrize("options", [{"older_than": 0}, {"batch": 0}, {"tenant": "nobody"}])
def test_odd_wishes_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(CommandError):
        purge(**options)


@pytest.mark.django_db
def test_the_night_removes_by_the_setting_and_stops_in_time(acme: Tenant, settings: Any) -> None:
    make_ended_task(acme, age=timedelta(days=500))
    make_ended_task(acme, age=timedelta(days=399))

    settings.RETENTION_DAYS = 0
    jobs.purge_messages()
    assert Message.objects.count() == 12
    assert purging.purge(timezone.now(), batch=2, seconds=0) == 2

    settings.RETENTION_DAYS = 400
    jobs.purge_messages()
    assert Message.objects.count() == 6
    check()


@pytest.mark.django_db
def test_what_fails_in_the_middle_of_a_batch_leaves_all_of_it(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_ended_task(acme, copies=2)
    run, calls = purging._run, []

    def failing(statement: str, model: Any, ids: list[int]) -> None:
        calls.append(statement)
        if len(calls) == 8:
            raise RuntimeError("the power is gone")
        run(statement, model, ids)

    monkeypatch.setattr(purging, "_run", failing)
    with pytest.raises(RuntimeError):
        purge(batch=5)

    assert Message.objects.count() == 7
    assert Attempt.objects.count() == 7
    check()
    monkeypatch.undo()
    purge(batch=5)
    assert not Message.objects.exists()
    assert sum(ClosedCount.objects.values_list("number", flat=True)) == 12
    check()


@pytest.mark.django_db
def test_the_pages_say_that_details_are_gone(as_owner: Client, acme: Tenant) -> None:
    task = make_ended_task(acme)
    as_owner.cookies["django_language"] = "en"
    assert "were removed for their age" not in as_owner.get(task.get_absolute_url()).content.decode()

    purge()

    assert (
        "The details of 6 mails were removed for their age"
        in as_owner.get(task.get_absolute_url()).content.decode()
    )
    assert "Details are removed after 400 days" in as_owner.get("/email/details/").content.decode()


@pytest.mark.django_db
def test_a_removed_total_that_is_lost_is_found(acme: Tenant) -> None:
    make_ended_task(acme)
    purge()
    ClosedCount.objects.filter(status="failed").update(number=3)

    with pytest.raises(CommandError, match="problems found"):
        check()
