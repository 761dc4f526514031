"""`manage.py rebuild_reports`: every hour counted anew, what was wrong is named."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from email_service.reports import aggregation
from email_service.reports.models import Report
from email_service.retention import purging
from email_service.send_details import outcomes
from email_service.send_tasks.models import Task
from iam.models import Tenant
from tests.factories_sending import make_message, make_task

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 3, 5, 9, 30, tzinfo=UTC)


def rebuild(**options: Any) -> str:
    out = io.StringIO()
    call_command("rebuild_reports", stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def task(acme: Tenant) -> Task:
    """Two hours of two days, counted."""
    task = make_task(acme)
    for at in (DAY, DAY + timedelta(days=1)):
        for status in ("delivered", "failed", "rejected"):
            make_message(task, status=status, accepted_at=at)
        outcomes.mark_dirty([(acme.pk, task.pk, at)])
    aggregation.refresh(timezone.now())
    return task


def shown() -> list[tuple[int, ...]]:
    return list(Report.objects.order_by("hour").values_list("succeeded", "failed", "pending", "rejected"))


def test_nothing_is_said_where_all_is_right(task: Task) -> None:
    assert rebuild() == "0 hours were wrong and are right now; 0 were waiting to be counted.\n"


def test_wrong_lost_and_invented_hours_are_put_right_and_named(task: Task) -> None:
    Report.objects.filter(hour__day=5).update(succeeded=9)
    Report.objects.filter(hour__day=6).delete()
    Report.objects.create(
        tenant=task.tenant, task=task, hour=DAY.replace(day=9, minute=0), failed=1, updated_at=DAY
    )

    told = rebuild()

    assert f"task {task.pk}, 2026-03-05 09:00 UTC: showed {{'succeeded': 9" in told
    assert "3 hours were wrong" in told
    assert shown() == [(1, 1, 0, 1), (1, 1, 0, 1), (0, 0, 0, 0)]


def test_removed_messages_are_counted_too(task: Task) -> None:
    purging.purge(timezone.now())
    Report.objects.all().delete()

    rebuild()

    assert shown() == [(1, 1, 0, 1), (1, 1, 0, 1)]


def test_a_range_and_an_account_are_all_that_is_touched(task: Task, globex: Tenant) -> None:
    Report.objects.update(pending=7)

    rebuild(tenant="globex")
    assert [row[2] for row in shown()] == [7, 7]
    rebuild(**{"tenant": "ACME", "from": DAY.date(), "to": DAY.date()})
    assert [row[2] for row in shown()] == [0, 7]
    with pytest.raises(CommandError, match="no account"):
        rebuild(tenant="nobody")


def test_hours_that_wait_are_counted_and_not_called_wrong(task: Task) -> None:
    make_message(task, status="delivered", accepted_at=DAY)
    outcomes.mark_dirty([(task.tenant_id, task.pk, DAY)])

    assert rebuild().startswith("0 hours were wrong and are right now; 1 were waiting")
    assert shown()[0] == (2, 1, 0, 1)
