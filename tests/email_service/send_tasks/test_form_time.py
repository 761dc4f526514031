"""定时发送: the hour as the clocks of the account's time zone show it."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from email_service.send_tasks.models import Task
from iam.models import Tenant
from tests.conftest import FRAGMENT
from tests.email_service.send_tasks.sending import sender_of
from tests.factories_sending import make_version

ADD = "/email/tasks/add/"


@pytest.fixture
def berlin(acme: Tenant) -> Tenant:
    acme.time_zone = "Europe/Berlin"
    acme.save(update_fields=["time_zone"])
    return acme


def schedule(client: Client, tenant: Tenant, due_at: str, **overrides: Any) -> Any:
    form = {
        "name": "Spring", "subject": "Hello", "template": make_version(tenant).template.pk,
        "address": sender_of(tenant).pk, "send_type": "scheduled", "due_at": due_at, "source": "manual",
        "recipients": "a@qq.com", "submission_key": uuid.uuid4(), **overrides,
    }  # fmt: skip
    return client.post(ADD, form, **FRAGMENT)


@time_machine.travel(datetime(2026, 3, 1, 12, tzinfo=UTC), tick=False)
def test_a_time_that_the_clocks_skip_is_refused_in_words(berlin: Tenant, as_owner: Client) -> None:
    for skipped in ("2026-03-29T02:00:00", "2026-03-29T02:30", "2026-03-29 02:59:59"):
        answer = schedule(as_owner, berlin, skipped)
        assert answer.status_code == 422
        page = answer.content.decode()
        assert 'id="id_due_at_error"' in page and "Europe/Berlin" in page
        assert f'value="{skipped}"' in page
    assert not Task.objects.exists()
    for there in ("2026-03-29T01:59:59", "2026-03-29T03:00"):
        assert schedule(as_owner, berlin, there).status_code == 204


@time_machine.travel(datetime(2026, 10, 1, 12, tzinfo=UTC), tick=False)
def test_a_time_that_the_clocks_show_twice_is_the_first(berlin: Tenant, as_owner: Client) -> None:
    assert schedule(as_owner, berlin, "2026-10-25T02:30:00").status_code == 204

    assert Task.objects.get().due_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@time_machine.travel(datetime(2026, 3, 1, 12, tzinfo=UTC), tick=False)
def test_a_time_is_read_by_the_accounts_clocks_or_by_its_own_offset(berlin: Tenant, as_owner: Client) -> None:
    for text in ("2026-07-01T09:00:00", "2026-07-01T07:00:00+00:00"):
        assert schedule(as_owner, berlin, text).status_code == 204

    assert {task.due_at for task in Task.objects.all()} == {datetime(2026, 7, 1, 7, tzinfo=UTC)}


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-02-30T09:00:00", "9999-12-31T23:59:59", "0001-01-01T00:00"]
)
def test_what_is_no_time_or_none_to_come_is_refused_at_its_field(
    berlin: Tenant, as_owner: Client, text: str
) -> None:
    answer = schedule(as_owner, berlin, text)

    assert answer.status_code == 422
    assert 'id="id_due_at_error"' in answer.content.decode()


def test_an_hour_that_was_left_in_the_field_does_not_hold_up_what_is_sent_now(
    berlin: Tenant, as_owner: Client
) -> None:
    assert schedule(as_owner, berlin, "2026-03-29T02:30:00", send_type="now").status_code == 204

    assert timezone.now() - Task.objects.get().due_at < timedelta(minutes=1)


@time_machine.travel(datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC), tick=False)
def test_the_picker_offers_from_now_on_for_a_year_and_names_the_zone(
    berlin: Tenant, as_owner: Client
) -> None:
    form = as_owner.get(ADD).context["form"]

    attributes = form.fields["due_at"].widget.attrs
    assert (attributes["min"], attributes["max"]) == ("2026-03-01T13:00:05", "2027-03-01T13:00:05")
    page = as_owner.get(ADD).content.decode()
    assert 'data-zone="Europe/Berlin"' in page
    assert "Europe/Berlin" in page.partition('id="id_due_at_hint"')[2].partition("</div>")[0]
    assert ZoneInfo("Europe/Berlin").utcoffset(datetime(2026, 3, 1, 13)) == timedelta(hours=1)
