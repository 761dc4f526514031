"""Days of 23 and of 25 hours (F-13): every hour has its place, and the day's report is the sum of them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from email_service.reports import aggregation, queries
from email_service.reports.models import Report
from email_service.reports.periods import Kind, Span
from email_service.send_details import outcomes
from tests.factories_sending import make_message, make_task

pytestmark = pytest.mark.django_db
DAYS = pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("America/New_York", date(2026, 3, 8), 23),
        ("America/New_York", date(2026, 11, 1), 25),
        ("Asia/Shanghai", date(2026, 3, 29), 24),
    ],
)


@DAYS
def test_every_hour_of_the_day_is_counted_once(zone: str, day: date, hours: int) -> None:
    span = Span(Kind.HOUR, day, day, ZoneInfo(zone))
    task = make_task()
    moments = [span.start + timedelta(minutes=30 * number) for number in range(-2, 2 * hours + 2)]
    for moment in moments:
        message = make_message(task, accepted_at=moment, status="delivered")
        outcomes.mark_dirty([(task.tenant_id, task.pk, message.accepted_at)])
    while aggregation.refresh(timezone.now()):
        pass

    by_hour = queries.sending(task.tenant, span)
    by_day = queries.sending(task.tenant, Span(Kind.DAY, day, day, ZoneInfo(zone)))

    assert Report.objects.count() == hours + 2
    assert [row.label for row in by_hour] == span.labels()
    assert [row.sent for row in by_hour] == [2] * hours, "two an hour, in every hour there was"
    assert [(row.label, row.sent) for row in by_day] == [(day.isoformat(), 2 * hours)]


@DAYS
def test_the_hours_stand_in_their_order_and_each_has_a_name_of_its_own(
    zone: str, day: date, hours: int
) -> None:
    labels = Span(Kind.HOUR, day, day, ZoneInfo(zone)).labels()

    assert len(labels) == len(set(labels)) == hours
    assert labels == sorted(labels)


def test_the_hour_that_comes_twice_is_told_apart_by_its_offset() -> None:
    span = Span(Kind.HOUR, date(2026, 10, 25), date(2026, 10, 25), ZoneInfo("Europe/Berlin"))

    assert [span.label(datetime(2026, 10, 25, hour, tzinfo=UTC)) for hour in range(4)] == [
        "2026-10-25 02:00:00",
        "2026-10-25 02:00:00+01:00",
        "2026-10-25 03:00:00",
        "2026-10-25 04:00:00",
    ]
