"""Hourly counts: made anew from rows, safe twice and at once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from email_service.reports import aggregation, jobs
from email_service.reports.models import COUNTS, HourTotal, Report
from email_service.send_details import outcomes
from email_service.send_details.models import DirtyHour, Message
from tests.email_service.send_details.test_outcomes import outcome
from tests.factories import make_tenant
from tests.factories_sending import make_message, make_task

NOON = datetime(2024, 8, 16, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def mark(message: Message) -> None:
    outcomes.mark_dirty([(message.tenant_id, message.task_id, message.accepted_at)])


def figures(report: Report) -> tuple[int, int, int, int]:
    return report.succeeded, report.failed, report.pending, report.rejected


def test_every_status_has_its_column_and_cancelled_has_none() -> None:
    task = make_task()
    for status in Message.Status.values:
        message = make_message(task, status=status, accepted_at=NOON + timedelta(minutes=59, seconds=59))
    make_message(task, status="delivered", accepted_at=NOON + timedelta(hours=1))
    mark(message)

    assert aggregation.refresh(NOON) == 1

    report = Report.objects.get()
    assert (report.task, report.tenant, report.hour) == (task, task.tenant, NOON)
    assert figures(report) == (1, 2, 2, 1)
    assert not DirtyHour.objects.exists()


def test_counting_again_gives_the_same_and_nothing_marked_means_no_work() -> None:
    message = make_message(status="delivered", accepted_at=NOON)
    mark(message)
    aggregation.refresh(NOON)
    mark(message)

    assert aggregation.refresh(NOON) == 1
    assert aggregation.refresh(NOON) == 0
    assert aggregation.recount(message.task_id, NOON, NOON) is False

    assert figures(Report.objects.get()) == (1, 0, 0, 0)


def test_a_late_outcome_corrects_the_hour_in_which_the_message_was_accepted() -> None:
    message = make_message(accepted_at=NOON, lease_token=7)
    mark(message)
    aggregation.refresh(NOON)
    assert figures(Report.objects.get()) == (0, 0, 1, 0)

    late = NOON + timedelta(days=3)
    outcomes.record([outcome(message, "failed", finished_at=late)], now=late)
    aggregation.refresh(late)

    report = Report.objects.get()
    assert report.hour == NOON
    assert figures(report) == (0, 1, 0, 0)


def test_a_mark_set_again_while_counting_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    message = make_message(status="delivered", accepted_at=NOON)
    mark(message)
    count = aggregation.counts_of

    def counted_late(*args: Any) -> dict[str, int]:
        found = count(*args)
        mark(message)
        return found

    monkeypatch.setattr(aggregation, "counts_of", counted_late)

    aggregation.refresh(NOON)

    assert DirtyHour.objects.count() == 1


def test_the_job_goes_on_until_nothing_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "HOURS_A_RUN", 2)
    task = make_task()
    for hour in range(5):
        mark(make_message(task, accepted_at=NOON + timedelta(hours=hour)))

    jobs.refresh_reports()

    assert Report.objects.count() == 5
    assert not DirtyHour.objects.exists()


def totals() -> list[tuple[int, ...]]:
    return list(HourTotal.objects.order_by("hour").values_list("tenant", *COUNTS))


def test_an_accounts_total_is_the_sum_of_its_tasks_however_often_they_are_counted() -> None:
    task, stranger = make_task(), make_task(make_tenant(account="globex"))
    other = make_task(task.tenant)
    first = make_message(task, status="delivered", accepted_at=NOON)
    for message in (first, make_message(other, accepted_at=NOON), make_message(stranger, accepted_at=NOON)):
        mark(message)
    aggregation.refresh(NOON)
    assert sorted(totals()) == sorted([(task.tenant_id, 1, 0, 1, 0), (stranger.tenant_id, 0, 0, 1, 0)])

    # A bounce a year later, and the other task counted twice more.
    Message.objects.filter(pk=first.pk).update(status="failed")
    for _again in range(2):
        mark(first)
        aggregation.refresh(NOON + timedelta(days=365))

    assert sorted(totals()) == sorted([(task.tenant_id, 0, 1, 1, 0), (stranger.tenant_id, 0, 0, 1, 0)])
