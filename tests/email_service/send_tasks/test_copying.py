"""复制: the form begins with what another task had, as far as that may still be chosen."""

import pytest
from django.test import Client
from django.urls import reverse

from email_service.domains.models import Domain
from email_service.mail_templates.models import Template
from email_service.send_tasks import queries
from email_service.send_tasks.models import Attachment, Task
from iam.models import Tenant
from tests.factories_sending import make_task

pytestmark = pytest.mark.django_db


@pytest.fixture
def task(acme: Tenant) -> Task:
    return make_task(
        acme, name="Spring", subject="Hello you", typed_recipients=["a@qq.com", "b@qq.com"], status="finished"
    )


def form_of(client: Client, task: Task) -> tuple[dict[str, object], str]:
    client.cookies["django_language"] = "en"
    answer = client.get(reverse("email:task_add"), {"copy": task.pk})
    form = answer.context["form"]
    return {name: form[name].value() for name in form.fields}, answer.content.decode()


def test_the_form_begins_with_what_the_task_had(task: Task, as_owner: Client) -> None:
    values, page = form_of(as_owner, task)

    assert values["name"] == "Spring copy"
    assert (values["subject"], values["send_type"], values["source"]) == ("Hello you", "now", "manual")
    assert (values["template"], values["address"]) == (task.template_id, task.address_id)
    assert values["recipients"] == "a@qq.com\nb@qq.com"
    assert f"{reverse('email:task_frame')}?template={task.template_id}" in page, "and shows its template"
    assert "The form holds what “Spring” had." in page and "not copied" not in page


def test_files_are_not_copied_and_the_page_says_so(task: Task, as_owner: Client) -> None:
    Attachment.objects.create(task=task, name="a.pdf", file="a.bin", size=1)
    assert "are not copied; upload them again" in form_of(as_owner, task)[1]

    Task.objects.filter(pk=task.pk).update(source=Task.Source.FILE, typed_recipients=[])
    values, page = form_of(as_owner, task)

    assert (values["source"], values["recipients"]) == ("file", "")
    assert "are not copied; upload them again" in page


def test_what_may_not_be_chosen_any_more_is_left_open(task: Task, as_owner: Client) -> None:
    Template.objects.update(is_deleted=True)
    Domain.objects.update(status=Domain.Status.UNVERIFIED)

    values, _page = form_of(as_owner, task)

    assert (values["template"], values["address"]) == (None, None)


def test_the_longest_name_still_fits(task: Task) -> None:
    task.name = "x" * 64

    assert len(queries.prefilled(task)["name"]) == 64


@pytest.mark.parametrize("pk", ["0", "x", "9" * 30])
def test_an_odd_number_is_an_empty_form(acme: Tenant, as_owner: Client, pk: str) -> None:
    answer = as_owner.get(reverse("email:task_add"), {"copy": pk})

    assert answer.status_code == 200
    assert answer.context["form"]["name"].value() is None


def test_another_accounts_task_is_not_copied(task: Task, as_stranger: Client) -> None:
    answer = as_stranger.get(reverse("email:task_add"), {"copy": task.pk})

    assert answer.context["form"]["name"].value() is None
    assert "Spring" not in answer.content.decode()
