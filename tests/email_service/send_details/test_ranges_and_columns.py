"""What the list shows by itself: today, all columns; and how both are changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from email_service.send_details.models import ColumnChoice, Message
from email_service.send_details.ranges import Range, bounds
from iam.models import Tenant, User
from tests.conftest import FRAGMENT
from tests.factories_sending import make_message, make_task

pytestmark = pytest.mark.django_db
LIST, COLUMNS = "/email/details/", "/email/details/columns/"
# In Shanghai it is half past one in the morning of the 17th.
NIGHT = datetime(2024, 8, 16, 17, 30, tzinfo=UTC)


def shown(client: Client, **query: Any) -> list[int]:
    return [line.message.pk for line in client.get(LIST, query, **FRAGMENT).context["lines"]]


@pytest.fixture
def by_age(acme: Tenant) -> dict[int, Message]:
    """Messages that are so many hours old."""
    task = make_task(acme, status="finished")
    return {
        hours: make_message(task, accepted_at=NIGHT - timedelta(hours=hours), status="delivered")
        for hours in (1, 2, 25, 26, 24 * 6, 24 * 29, 24 * 40)
    }


def test_ranges_are_days_of_the_accounts_time_zone(as_owner: Client, by_age: dict[int, Message]) -> None:
    with time_machine.travel(NIGHT, tick=False):
        found = {name: shown(as_owner, range=name) for name in Range.values}
        assert shown(as_owner) == found["today"]

    ids = {hours: message.pk for hours, message in by_age.items()}
    assert found["today"] == [ids[1]]
    assert found["yesterday"] == [ids[2], ids[25]]
    assert found["7d"] == [ids[hours] for hours in (1, 2, 25, 26, 144)]
    assert found["30d"] == [ids[hours] for hours in (1, 2, 25, 26, 144, 696)]
    assert found["all"] == found["custom"] == list(ids.values())


def test_a_day_on_which_the_clock_is_changed_begins_at_its_midnight() -> None:
    with timezone.override("Europe/Berlin"):
        start, end = bounds("yesterday", datetime(2024, 3, 31, 22, 30, tzinfo=UTC))

    assert start == datetime(2024, 3, 30, 23, 0, tzinfo=UTC)
    assert end == datetime(2024, 3, 31, 22, 0, tzinfo=UTC) - timedelta(microseconds=1)


def test_what_leads_to_few_rows_is_not_bound_to_today(as_owner: Client, acme: Tenant) -> None:
    old = make_message(make_task(acme), recipient="ada@qq.com", accepted_at=NIGHT)

    for query in ({"message": old.pk}, {"task_code": old.task.code}, {"recipient": "Ada@QQ.com"}):
        assert shown(as_owner, **query) == [old.pk]
        assert shown(as_owner, range="today", **query) == [old.pk]
        assert shown(as_owner, range="7d", **query) == []
    assert shown(as_owner, recipient="ada@") == []
    assert shown(as_owner, task_name=old.task.name) == []


def test_the_tasks_page_leads_to_its_messages(as_owner: Client, acme: Tenant) -> None:
    old = make_message(make_task(acme), accepted_at=NIGHT)
    make_message(make_task(acme), accepted_at=NIGHT)

    link = f"{LIST}?task_code={old.task.code}"
    assert f'href="{link}"' in as_owner.get(old.task.get_absolute_url()).content.decode()
    answer = as_owner.get(link, **FRAGMENT)
    assert [line.message.pk for line in answer.context["lines"]] == [old.pk]


def test_what_is_in_force_stands_above_the_table_and_can_be_taken_out(as_owner: Client, acme: Tenant) -> None:
    make_message(make_task(acme, name="Spring"), status="failed")
    query = "range=7d&status=failed&task_name=Spring&size=50&method="

    answer = as_owner.get(f"{LIST}?{query}", **FRAGMENT)

    chips = {str(chip.label): chip.query for chip in answer.context["filter"].chips}
    assert chips == {
        "任务名称": "range=7d&status=failed&size=50",
        "发送状态": "range=7d&task_name=Spring&size=50",
    }
    page = answer.content.decode()
    assert f'href="{LIST}?range=7d&amp;task_name=Spring&amp;size=50"' in page
    assert f'class="chips-clear" href="{LIST}"' in page
    assert "近7天" in page
    assert "chips-clear" not in as_owner.get(LIST, **FRAGMENT).content.decode()


def test_the_export_means_the_same_hours_whenever_it_runs(as_owner: Client, acme: Tenant) -> None:
    make_message(make_task(acme), accepted_at=NIGHT - timedelta(hours=2, milliseconds=1), status="delivered")
    late = datetime(2024, 8, 16, 15, 59, 59, 999_000, tzinfo=UTC)
    make_message(make_task(acme), accepted_at=late, status="delivered")
    with time_machine.travel(NIGHT, tick=False):
        query = as_owner.get(LIST, {"range": "yesterday"}, **FRAGMENT).context["filter"].lasting_query

    assert query == ("range=custom&created_from=2024-08-16T00%3A00%3A00&created_to=2024-08-16T23%3A59%3A59")
    answer = as_owner.get(f"{LIST}?{query}", **FRAGMENT)
    assert len(answer.context["lines"]) == 2


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({}, "该时间范围内没有发送记录"),
        ({"status": "failed"}, "没有符合条件的内容"),
        ({"range": "all", "status": "failed"}, "清除筛选"),
    ],
)
def test_an_empty_list_says_what_is_the_matter(
    as_owner: Client, acme: Tenant, query: dict[str, str], words: str
) -> None:
    assert "还没有" in as_owner.get(LIST, query).content.decode()
    make_message(make_task(acme), accepted_at=NIGHT)

    page = as_owner.get(LIST, query).content.decode()

    assert words in page
    assert ("range=all" in page.partition('class="empty-state"')[2]) == (query.get("range") != "all")


def heads(client: Client) -> list[str]:
    page = client.get(LIST, {"range": "all"}, **FRAGMENT).content.decode()
    return [part.partition("<")[0] for part in page.split('<th scope="col">')[1:] if part[0] != "<"]


def test_chosen_columns_are_remembered_for_the_user_alone(
    as_owner: Client, as_reader: Client, owner: User, acme: Tenant
) -> None:
    make_message(make_task(acme), recipient="ada@qq.com")
    everything = heads(as_reader)

    answer = as_owner.post(f"{COLUMNS}?range=all&status=pending", {"columns": ["recipient", "task"]})

    assert answer["Location"] == f"{LIST}?range=all&status=pending"
    assert heads(as_owner) == ["消息ID", "任务名称/ID", "发送状态", "收件人"]
    assert heads(as_reader) == everything
    assert ColumnChoice.objects.get().columns == ["task", "recipient"]
    row = as_owner.get(LIST, **FRAGMENT).content.decode().partition("<tbody>")[2].partition("</tr>")[0]
    assert row.count("<td") == 4

    as_owner.post(COLUMNS, {"columns": [], "reset": "1"})
    assert heads(as_owner) == everything
    assert not ColumnChoice.objects.exists()


def test_columns_may_all_be_hidden_but_two(as_owner: Client, acme: Tenant) -> None:
    make_message(make_task(acme))

    as_owner.post(COLUMNS, {})

    assert heads(as_owner) == ["消息ID", "发送状态"]


def test_the_dialog_shows_what_is_chosen(as_owner: Client, as_newcomer: Client) -> None:
    as_owner.post(COLUMNS, {"columns": ["sender"]})

    dialog = as_owner.get(f"{COLUMNS}?range=7d", **FRAGMENT).content.decode()

    assert 'value="sender" checked' in dialog
    assert 'value="subject">' in dialog
    assert dialog.count("disabled") == 2
    assert f'action="{COLUMNS}?range=7d"' in dialog
    assert "<html" in as_owner.get(COLUMNS).content.decode()
    assert as_newcomer.get(COLUMNS).status_code == 403
    assert as_newcomer.post(COLUMNS, {}).status_code == 403


def test_an_unknown_column_is_refused(as_owner: Client) -> None:
    answer = as_owner.post(COLUMNS, {"columns": ["password"]}, **FRAGMENT)

    assert answer.status_code == 422
    assert not ColumnChoice.objects.exists()


def test_saving_in_the_dialog_leads_the_browser_back(as_owner: Client) -> None:
    answer = as_owner.post(f"{COLUMNS}?status=failed", {"columns": ["sender"]}, **FRAGMENT)

    assert answer["HX-Redirect"] == f"{LIST}?status=failed"
