"""统计报表: by hour, day and month in the account's time zone; who sees it; the export."""

import io
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone
from python_calamine import CalamineWorkbook

from email_service.reports.periods import Kind, Span, default_range, earliest
from email_service.send_details.models import Event
from iam.models import Tenant
from tests.conftest import FRAGMENT
from tests.factories_sending import make_message, make_report, make_task

pytestmark = pytest.mark.django_db
REPORT, EXPORT = "/email/reports/", "/email/reports/export/"
SHANGHAI = ZoneInfo("Asia/Shanghai")


def rows_of(client: Client, **query: Any) -> list[tuple[Any, ...]]:
    response = client.get(REPORT, query, **FRAGMENT)
    assert response.status_code == 200
    return [response.context["table"].total[1:], *response.context["table"].newest]


@pytest.fixture
def yesterday() -> datetime:
    """Midnight of yesterday in Shanghai."""
    today = timezone.now().astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=1)


def test_hours_stand_under_the_accounts_own_time(as_owner: Client, acme: Tenant, yesterday: datetime) -> None:
    task, other = make_task(acme), make_task(acme)
    seventeen = yesterday + timedelta(hours=17)
    make_report(task, seventeen, succeeded=4, failed=1)
    make_report(other, seventeen, succeeded=2, pending=1, rejected=1)
    make_report(task, yesterday - timedelta(hours=1), succeeded=50)

    rows = rows_of(as_owner)

    label = f"{seventeen:%Y-%m-%d} 17:00:00"
    assert rows == [(9, 6, 1, 1, 1, "66.67%"), (label, 9, 6, 1, 1, 1, "66.67%")]


def test_days_are_cut_at_the_accounts_midnight(as_owner: Client, acme: Tenant, yesterday: datetime) -> None:
    task = make_task(acme)
    make_report(task, yesterday - timedelta(hours=1), succeeded=1)
    make_report(task, yesterday, succeeded=2)
    make_report(task, yesterday + timedelta(hours=23), succeeded=3)
    make_report(task, yesterday + timedelta(hours=24), succeeded=4)

    rows = rows_of(as_owner, kind="day")

    assert [row[:2] for row in rows[1:]] == [
        (f"{yesterday + timedelta(days=1):%Y-%m-%d}", 4),
        (f"{yesterday:%Y-%m-%d}", 5),
        (f"{yesterday - timedelta(days=1):%Y-%m-%d}", 1),
    ]
    assert rows[0][-1] == "100.00%"


def test_months_are_whole(as_owner: Client, acme: Tenant, yesterday: datetime) -> None:
    first = yesterday.replace(day=1)
    make_report(make_task(acme), first, succeeded=1)
    make_report(make_task(acme), yesterday, failed=1)

    rows = rows_of(as_owner, kind="month", first=yesterday.date(), last=yesterday.date())

    assert rows[1:] == [(f"{first:%Y-%m}", 2, 1, 1, 0, 0, "50.00%")]


def test_another_kind_begins_with_a_range_of_its_own(as_owner: Client, acme: Tenant) -> None:
    today = timezone.now().astimezone(SHANGHAI).date()

    form = as_owner.get(REPORT, {"kind": "day", "shown": "hour", "first": today, "last": today}).context[
        "form"
    ]

    assert (form.cleaned_data["first"], form.cleaned_data["last"]) == default_range("day", today)


def test_the_page_refreshes_without_a_button_and_has_one_without_scripts(
    as_owner: Client, acme: Tenant
) -> None:
    page = as_owner.get(REPORT).content.decode()

    assert 'hx-trigger="change delay:400ms, submit"' in page
    assert "<noscript><button" in page


@pytest.mark.parametrize(
    ("first", "last"),
    [("2001-01-01", "2001-01-02"), ("odd", ""), ("2999-01-01", "2999-01-01"), ("{today}", "{past}")],
)
def test_an_odd_range_is_refused_and_kept(as_owner: Client, acme: Tenant, first: str, last: str) -> None:
    today = timezone.now().astimezone(SHANGHAI).date()
    words = {"today": today, "past": today - timedelta(days=3)}

    response = as_owner.get(
        REPORT, {"kind": "day", "first": first.format(**words), "last": last.format(**words)}
    )

    assert response.status_code == 422
    assert first.format(**words) in response.content.decode()
    assert "field-error" in response.content.decode()


def test_nobody_sees_another_accounts_figures(as_stranger: Client, acme: Tenant, yesterday: datetime) -> None:
    make_report(make_task(acme), yesterday, succeeded=1)

    assert rows_of(as_stranger) == [(0, 0, 0, 0, 0, "—")]


def test_reception_counts_when_it_happened(as_owner: Client, acme: Tenant, yesterday: datetime) -> None:
    message = make_message(make_task(acme), accepted_at=yesterday - timedelta(days=20))
    for kind, detail in (
        ("ended", {"status": "delivered"}),
        ("ended", {"status": "failed"}),
        ("unsubscribed", {}),
    ):
        Event.objects.create(message=message, tenant=acme, kind=kind, detail=detail, at=yesterday)

    rows = rows_of(as_owner, tab="reception")

    assert rows == [(1, 1, "100.00%"), (f"{yesterday:%Y-%m-%d} 00:00:00", 1, 1, "100.00%")]


def test_the_chart_is_given_the_empty_hours_too(as_owner: Client, acme: Tenant, yesterday: datetime) -> None:
    make_report(make_task(acme), yesterday + timedelta(hours=1), succeeded=3)

    response = as_owner.get(REPORT, {"first": yesterday.date(), "last": yesterday.date()})

    chart = response.context["table"].chart
    assert len(chart["labels"]) == 24
    assert chart["series"][0]["values"][:3] == [0, 3, 0]
    assert 'id="report-points" type="application/json"' in response.content.decode()


def test_the_export_holds_rows_and_total(as_owner: Client, acme: Tenant, yesterday: datetime) -> None:
    make_report(make_task(acme), yesterday, succeeded=3, failed=1)

    response = as_owner.get(EXPORT, {"kind": "day"})

    content = b"".join(response.streaming_content)
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert rows[1][:3] == [f"{yesterday:%Y-%m-%d}", 4, 3]
    assert rows[2][1:3] == [4, 3]
    assert as_owner.get(EXPORT, {"first": "odd"}).status_code == 302


def test_the_export_as_csv_holds_the_same(as_owner: Client, acme: Tenant, yesterday: datetime) -> None:
    make_report(make_task(acme), yesterday, succeeded=3, failed=1)

    response = as_owner.get(EXPORT, {"kind": "day", "format": "csv"})

    lines = b"".join(response.streaming_content).decode("utf-8-sig").splitlines()
    assert lines[1].startswith(f'"{yesterday:%Y-%m-%d}","4","3","1"')
    assert len(lines) == 3
    assert (
        "/email/reports/export/?tab=sending&amp;kind=day"
        in as_owner.get(REPORT, {"kind": "day"}).content.decode()
    )


def test_the_report_takes_few_queries(
    as_owner: Client, acme: Tenant, yesterday: datetime, django_assert_num_queries: Any
) -> None:
    for hour in range(5):
        make_report(make_task(acme), yesterday + timedelta(hours=hour), succeeded=1)

    # Session, user, account, its Email service, the sums, when they were last made.
    with django_assert_num_queries(6):
        as_owner.get(REPORT, **FRAGMENT)


def test_rights_decide_and_the_fragment_is_the_report_alone(as_reader: Client, as_newcomer: Client) -> None:
    assert as_reader.get(REPORT, **FRAGMENT).content.decode().lstrip().startswith('<div id="report"')
    assert as_newcomer.get(REPORT).status_code == 403
    assert as_newcomer.get(EXPORT).status_code == 403


def test_days_of_a_zone_off_the_hour_hold_the_hours_that_begin_in_them() -> None:
    span = Span(Kind.DAY, date(2024, 8, 16), date(2024, 8, 16), ZoneInfo("Asia/Kolkata"))

    assert span.is_off_the_hour
    assert span.label(datetime(2024, 8, 15, 18, tzinfo=UTC)) == "2024-08-15"
    assert span.label(datetime(2024, 8, 15, 19, tzinfo=UTC)) == "2024-08-16"
    assert span.labels() == ["2024-08-16"]


def test_a_year_back_from_a_leap_day_is_a_day() -> None:
    assert earliest(date(2024, 2, 29)) == date(2023, 2, 28)
