"""The pages of 发送任务."""

import io
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from email_service.send_tasks.models import RejectedRow, Task
from email_service.send_tasks.models_check import RecipientCheck
from iam.models import Tenant
from tests.conftest import FRAGMENT
from tests.email_service.send_tasks.sending import sender_of, sheet
from tests.factories_sending import make_task, make_version

pytestmark = pytest.mark.django_db


def filled_in(tenant: Tenant, **overrides: Any) -> dict[str, Any]:
    fields = {
        "name": "Spring",
        "subject": "Hello",
        "address": sender_of(tenant).pk,
        "send_type": "now",
        "source": "manual",
        "recipients": "a@qq.com\nb@qq.com",
        "submission_key": str(uuid.uuid4()),
        **overrides,
    }
    if "template" not in fields:
        fields["template"] = make_version(tenant).template.pk
    return fields


def test_the_form_submits_a_task_and_leads_to_its_page(acme: Tenant, as_owner: Client) -> None:
    answer = as_owner.post(reverse("email:task_add"), filled_in(acme))

    task = Task.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == task.get_absolute_url()
    assert (task.status, task.accepted_count, task.created_by.login) == ("sending", 2, "acme/owner")


def test_posting_the_same_form_twice_leads_to_the_same_task(acme: Tenant, as_owner: Client) -> None:
    form = filled_in(acme)

    answers = [as_owner.post(reverse("email:task_add"), form) for _ in range(2)]

    assert answers[0]["Location"] == answers[1]["Location"]
    assert Task.objects.count() == 1


def test_a_refused_form_keeps_what_was_typed(acme: Tenant, as_owner: Client) -> None:
    answer = as_owner.post(
        reverse("email:task_add"), filled_in(acme, name="My campaign", recipients="no address")
    )

    assert answer.status_code == 422
    page = answer.content.decode()
    assert "My campaign" in page and "no" in page
    assert not Task.objects.exists()


def test_a_fragment_gets_the_form_alone_and_a_redirect_as_header(acme: Tenant, as_owner: Client) -> None:
    refused = as_owner.post(reverse("email:task_add"), filled_in(acme, name=""), **FRAGMENT)
    taken = as_owner.post(reverse("email:task_add"), filled_in(acme), **FRAGMENT)

    assert refused.status_code == 422
    assert refused.content.decode().lstrip().startswith("<form")
    assert taken["HX-Redirect"] == Task.objects.get().get_absolute_url()


def test_a_recipient_file_is_checked_before_anything_is_submitted(
    acme: Tenant, as_owner: Client, hints: list[Any]
) -> None:
    form = filled_in(acme, source="file", recipients="", file=sheet(("email",), ("a@qq.com",)))

    answer = as_owner.post(reverse("email:task_add"), form)

    check = RecipientCheck.objects.get()
    assert answer["Location"] == check.get_absolute_url()
    assert (check.state, check.recipient_file_name) == ("waiting", "recipients.xlsx")
    assert not Task.objects.exists()


def test_without_address_and_template_the_form_says_so_and_links_there(
    acme: Tenant, as_owner: Client
) -> None:
    page = as_owner.get(reverse("email:task_add")).content.decode()

    assert reverse("email:address_list") in page
    assert reverse("email:template_list") in page


def test_the_sample_has_a_column_a_parameter(acme: Tenant, as_owner: Client) -> None:
    template = make_version(acme, body="{{name}} {{code}}", parameters=["name", "code"]).template

    answer = as_owner.get(reverse("email:task_sample"), {"template": template.pk})

    book = load_workbook(io.BytesIO(answer.content))
    assert [cell.value for cell in book.worksheets[0][1]] == ["收件人邮箱/email", "name", "code"]
    assert [cell.value for cell in book.worksheets[0][2]] == ["zhangsan@example.com", "Li Na", "628419"]
    assert {cell.number_format for cell in book.worksheets[0][2]} == {"@"}
    assert len(book.worksheets) == 2


def test_the_list_is_searched_and_narrowed(acme: Tenant, globex: Tenant, as_owner: Client) -> None:
    make_task(acme, name="Spring sale")
    autumn = make_task(acme, name="Autumn sale", status=Task.Status.FINISHED)
    make_task(globex, name="Spring stranger")

    def names(**query: str) -> set[str]:
        answer = as_owner.get(reverse("email:task_list"), query)
        return {task.name for task in answer.context["page"].rows}

    assert names() == {"Spring sale", "Autumn sale"}
    assert names(name="spring") == {"Spring sale"}
    assert names(name=autumn.code) == {"Autumn sale"}
    assert names(status="finished") == {"Autumn sale"}
    assert names(template=autumn.template_title) == {"Autumn sale"}
    assert names(template_code=autumn.template_code) == {"Autumn sale"}
    assert names(created_from="2099-01-01T00:00:00") == set()


def test_the_list_polls_only_while_something_moves(acme: Tenant, as_owner: Client) -> None:
    task = make_task(acme)
    assert "every 3s" in as_owner.get(reverse("email:task_list"), **FRAGMENT).content.decode()

    Task.objects.filter(pk=task.pk).update(status=Task.Status.FINISHED)

    assert "every 3s" not in as_owner.get(reverse("email:task_list"), **FRAGMENT).content.decode()


def test_the_list_costs_the_same_however_long_it_is(
    acme: Tenant, as_owner: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(12):
        make_task(acme)

    with django_assert_max_num_queries(10):
        as_owner.get(reverse("email:task_list"), **FRAGMENT)


def test_progress_ends_its_polling_with_the_work(acme: Tenant, as_owner: Client) -> None:
    task = make_task(acme, accepted_count=4, pending_count=1, delivered_count=3)
    address = reverse("email:task_progress", args=[task.pk])

    moving = as_owner.get(address, **FRAGMENT)
    Task.objects.update(status=Task.Status.FINISHED)
    ended = as_owner.get(address, **FRAGMENT)

    assert (moving.status_code, ended.status_code) == (200, 286)
    assert '<rect class="share-delivered" x="0.00" y="0" width="75.00"' in moving.content.decode()
    assert "hx-trigger" not in ended.content.decode()


def test_bad_rows_are_shown_and_downloaded_as_text(acme: Tenant, as_owner: Client) -> None:
    task = make_task(acme, source=Task.Source.FILE, bad_count=1)
    RejectedRow.objects.create(task=task, row_number=7, value='=HYPERLINK("x")', reason="bad_address")

    page = as_owner.get(task.get_absolute_url()).content.decode()
    file = as_owner.get(reverse("email:task_rows", args=[task.pk])).content

    assert "=HYPERLINK" in page
    cell = load_workbook(io.BytesIO(file)).worksheets[0]["B2"]
    assert (cell.value, cell.data_type) == ('=HYPERLINK("x")', "s")


def test_a_scheduled_task_is_cancelled_after_a_question(acme: Tenant, as_owner: Client) -> None:
    task = make_task(acme, status=Task.Status.SCHEDULED, due_at=timezone.now() + timedelta(hours=1))
    address = reverse("email:task_cancel", args=[task.pk])

    question = as_owner.get(address, **FRAGMENT)
    task.refresh_from_db()
    assert (question.status_code, task.status) == (200, "scheduled")
    as_owner.post(address)

    task.refresh_from_db()
    assert task.status == "cancelled"


def test_cancelling_what_is_being_sent_is_refused(acme: Tenant, as_owner: Client) -> None:
    task = make_task(acme)

    assert as_owner.post(reverse("email:task_cancel", args=[task.pk]), **FRAGMENT).status_code == 422


def test_a_running_task_is_paused_resumed_and_stopped(acme: Tenant, as_owner: Client) -> None:
    task = make_task(acme)
    states = []

    for step in ("task_pause", "task_resume", "task_cancel_rest"):
        as_owner.post(reverse(f"email:{step}", args=[task.pk]))
        task.refresh_from_db()
        states.append(task.status)

    assert states == ["paused", "sending", "cancelled"]
    assert as_owner.post(reverse("email:task_cancel_rest", args=[task.pk])).status_code == 422


ROWS = ("task_detail", "task_progress", "task_rows", "task_cancel", "task_cancel_rest")
DECISIONS = ("task_pause", "task_resume")


@pytest.mark.parametrize("name", [*ROWS, *DECISIONS])
def test_strangers_find_nothing(acme: Tenant, as_stranger: Client, name: str) -> None:
    address = reverse(f"email:{name}", args=[make_task(acme).pk])

    assert (
        as_stranger.post(address).status_code == 404
        if name in DECISIONS
        else as_stranger.get(address).status_code == 404
    )


@pytest.mark.parametrize("name", ["task_cancel", "task_cancel_rest", *DECISIONS])
def test_readers_decide_nothing(acme: Tenant, as_reader: Client, name: str) -> None:
    task = make_task(acme)

    assert as_reader.post(reverse(f"email:{name}", args=[task.pk])).status_code == 403
    task.refresh_from_db()
    assert task.status == "sending"


def test_readers_see_and_newcomers_do_not(acme: Tenant, as_reader: Client, as_newcomer: Client) -> None:
    task = make_task(acme)

    assert as_reader.get(task.get_absolute_url()).status_code == 200
    assert as_reader.get(reverse("email:task_add")).status_code == 403
    for name in ("task_list", "task_add", "task_sample"):
        assert as_newcomer.get(reverse(f"email:{name}")).status_code == 403
