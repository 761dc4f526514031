"""The page between the form and the task: what the file holds, and that only what was shown is submitted."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from email_service.mail_templates.models import Template
from email_service.models import Attachment, Message, RecipientCheck, Task
from email_service.send_tasks import jobs, recipients, services_check
from iam.models import Tenant
from tests.email_service.send_tasks.sending import sender_of, sheet
from tests.email_service.send_tasks.test_views import filled_in
from tests.factories_sending import make_version

pytestmark = pytest.mark.django_db
ROWS = (
    ("email", "name", "note"),
    ("a@qq.com", "Li", "first"),
    ("nobody", "Wang", '=HYPERLINK("x")'),
    ("A@QQ.com", "Li", ""),
    ("gone@qq.com", "Zhao", ""),
    ("b@qq.com", "", ""),
    ("c@qq.com", "Qian <b>", "last"),
)


def post(client: Client, tenant: Tenant, version: Any, **overrides: Any) -> Any:
    fields = {
        "template": version.template.pk, "subject": "Hello {{name}}", "source": "file", "recipients": "",
        "file": sheet(*ROWS), **overrides,
    }  # fmt: skip
    return client.post(reverse("email:task_add"), filled_in(tenant, **fields))


def checked(client: Client, tenant: Tenant, version: Any, **overrides: Any) -> RecipientCheck:
    """Post the form and read the file, as the job does."""
    answer = post(client, tenant, version, **overrides)
    assert answer.status_code == 302, answer.context["form"].errors
    check = RecipientCheck.objects.get()
    assert answer["Location"] == check.get_absolute_url()
    jobs.check_recipients(check.pk)
    check.refresh_from_db()
    return check


def submit(client: Client, check: RecipientCheck, **fields: str) -> Any:
    return client.post(reverse("email:check_submit", args=[check.pk]), fields)


def test_a_file_is_checked_and_no_task_is_made(
    acme: Tenant, as_owner: Client, version: Any, hints: Any
) -> None:
    answer = post(as_owner, acme, version)

    check = RecipientCheck.objects.get()
    assert (answer.status_code, check.state, check.recipient_file_name) == (302, "waiting", "recipients.xlsx")
    assert not Task.objects.exists()
    assert as_owner.get(check.get_absolute_url()).status_code == 200

    jobs.check_recipients(check.pk)

    check.refresh_from_db()
    assert (check.state, check.rows_read, check.good_count) == ("finished", 6, 2)
    assert check.bad_counts == {"bad_address": 1, "duplicate": 1, "suppressed": 1, "no_value": 1}


def test_bad_rows_are_left_out_only_where_it_is_said(acme: Tenant, as_owner: Client, version: Any) -> None:
    check = checked(as_owner, acme, version)

    refused = submit(as_owner, check)
    assert refused.status_code == 422
    assert not Task.objects.exists()
    taken = submit(as_owner, check, leaves_out="on")

    task = Task.objects.get()
    assert taken["Location"] == task.get_absolute_url()
    assert (task.status, task.recipient_file.name) == ("preparing", check.recipient_file.name)
    recipients.read(task.pk)
    task.refresh_from_db()
    assert (task.accepted_count, task.bad_count, task.duplicate_count, task.suppressed_count) == (2, 2, 1, 1)
    assert set(Message.objects.values_list("recipient", flat=True)) == {"a@qq.com", "c@qq.com"}


def test_submitting_twice_and_posting_the_form_again_lead_to_one_task(
    acme: Tenant, as_owner: Client, version: Any
) -> None:
    key = str(uuid.uuid4())
    check = checked(as_owner, acme, version, submission_key=key)

    answers = [submit(as_owner, check, leaves_out="on") for _ in range(2)]
    answers.append(post(as_owner, acme, version, submission_key=key))

    task = Task.objects.get()
    assert {answer["Location"] for answer in answers} == {task.get_absolute_url()}
    assert as_owner.get(check.get_absolute_url())["Location"] == task.get_absolute_url()


def test_the_form_posted_twice_is_one_check_of_what_was_posted_last(
    acme: Tenant, as_owner: Client, version: Any
) -> None:
    key = str(uuid.uuid4())
    first = checked(as_owner, acme, version, submission_key=key)
    answer = post(
        as_owner, acme, version, submission_key=key, file=sheet(("email", "name"), ("z@qq.com", "Z"))
    )

    assert answer["Location"] == first.get_absolute_url()
    second = RecipientCheck.objects.get()
    assert (second.state, second.rows_read) == ("waiting", 0)
    assert default_storage.exists(second.recipient_file.name)
    jobs.check_recipients(second.pk)
    second.refresh_from_db()
    assert (second.rows_read, second.good_count) == (1, 1)


def test_back_to_the_form_everything_is_filled_in_and_the_files_are_kept(
    acme: Tenant, as_owner: Client, version: Any, hints: Any
) -> None:
    guide = SimpleUploadedFile("guide.pdf", b"%PDF", "application/pdf")
    check = checked(as_owner, acme, version, attachments=[guide], name="Spring sale")

    form = as_owner.get(reverse("email:task_add"), {"check": check.pk})
    page = form.content.decode()
    assert "recipients.xlsx" in page and "guide.pdf" in page and "Spring sale" in page
    key = str(form.context["form"]["submission_key"].value())
    assert key == str(check.submission_key)
    answer = post(as_owner, acme, version, submission_key=key, file="", name="Summer sale")

    assert answer["Location"] == check.get_absolute_url()
    check.refresh_from_db()
    assert (check.name, check.state, check.rows_read) == ("Summer sale", "finished", 6)
    submit(as_owner, check, leaves_out="on")
    assert Task.objects.get().name == "Summer sale"
    assert Attachment.objects.get().name == "guide.pdf"


def test_kept_attachments_are_dropped_where_it_is_said(acme: Tenant, as_owner: Client, version: Any) -> None:
    guide = SimpleUploadedFile("guide.pdf", b"%PDF", "application/pdf")
    check = checked(as_owner, acme, version, attachments=[guide])

    post(as_owner, acme, version, submission_key=str(check.submission_key), file="", drops_attachments="on")

    assert not check.attachments.exists()


def test_typed_recipients_after_a_check_are_sent_its_attachments(
    acme: Tenant, as_owner: Client, version: Any
) -> None:
    plain = make_version(acme)
    guide = SimpleUploadedFile("guide.pdf", b"%PDF", "application/pdf")
    check = checked(as_owner, acme, plain, subject="Hi", attachments=[guide])
    typed = {"source": "manual", "recipients": "x@qq.com", "file": "", "subject": "Hi"}

    post(as_owner, acme, plain, submission_key=str(check.submission_key), **typed)

    task = Task.objects.get()
    assert (task.source, task.recipient_file.name, task.attachments.get().name) == ("manual", "", "guide.pdf")


@pytest.mark.parametrize("change", ["template", "age"])
def test_a_check_that_no_longer_holds_is_made_again_before_anything_is_submitted(
    acme: Tenant, as_owner: Client, version: Any, change: str, hints: Any
) -> None:
    check = checked(as_owner, acme, version)
    if change == "age":
        RecipientCheck.objects.update(finished_at=timezone.now() - timedelta(hours=25))
    else:
        newer = make_version(acme, body="{{name}}, hello", parameters=["name"])
        newer.template, newer.number = version.template, 2
        newer.save()
        Template.objects.filter(pk=version.template.pk).update(version=newer)
    hints.clear()

    answer = submit(as_owner, check, leaves_out="on")

    assert answer["Location"] == check.get_absolute_url()
    assert not Task.objects.exists()
    check.refresh_from_db()
    assert (check.state, check.rows_read) == ("waiting", 0)
    jobs.check_recipients(check.pk)
    assert submit(as_owner, check, leaves_out="on").status_code == 302
    assert Task.objects.get().template_version == Template.objects.get(pk=version.template.pk).version


def test_a_sender_that_was_lost_meanwhile_is_refused_on_the_page(
    acme: Tenant, as_owner: Client, version: Any
) -> None:
    check = checked(as_owner, acme, version)
    domain = sender_of(acme).domain
    domain.status = "unverified"
    domain.save(update_fields=["status"])

    assert submit(as_owner, check, leaves_out="on").status_code == 422
    assert not Task.objects.exists()


def test_nothing_is_submitted_while_the_file_is_read_or_where_it_cannot_be(
    acme: Tenant, as_owner: Client, version: Any
) -> None:
    post(as_owner, acme, version)
    check = RecipientCheck.objects.get()
    assert submit(as_owner, check, leaves_out="on").status_code == 422

    default_storage.delete(check.recipient_file.name)
    jobs.check_recipients(check.pk)

    check.refresh_from_db()
    assert check.state == "failed"
    assert "danger" in as_owner.get(check.get_absolute_url()).content.decode()
    assert submit(as_owner, check, leaves_out="on").status_code == 422


def test_a_scheduled_check_keeps_its_hour(acme: Tenant, as_owner: Client, version: Any) -> None:
    due = timezone.localtime(timezone.now() + timedelta(hours=3)).replace(second=0, microsecond=0)
    check = checked(as_owner, acme, version, send_type="scheduled", due_at=due.strftime("%Y-%m-%dT%H:%M"))

    submit(as_owner, check, leaves_out="on")

    assert Task.objects.get().due_at == due


def test_a_check_nobody_submitted_is_deleted_with_its_files_and_a_submitted_ones_files_stay(
    acme: Tenant, as_owner: Client, version: Any, django_capture_on_commit_callbacks: Any
) -> None:
    guide = SimpleUploadedFile("guide.pdf", b"%PDF", "application/pdf")
    kept = checked(as_owner, acme, version, attachments=[guide])
    submit(as_owner, kept, leaves_out="on")
    RecipientCheck.objects.update(changed_at=timezone.now() - timedelta(days=8))
    post(as_owner, acme, version, attachments=[SimpleUploadedFile("b.pdf", b"%PDF")])
    fresh = RecipientCheck.objects.exclude(pk=kept.pk).get()

    with django_capture_on_commit_callbacks(execute=True):
        jobs.tidy_checks()
    assert list(RecipientCheck.objects.all()) == [fresh]
    assert default_storage.exists(Task.objects.get().recipient_file.name)
    assert default_storage.exists(Attachment.objects.get().file.name)

    names = [fresh.recipient_file.name, fresh.attachments.get().file.name]
    RecipientCheck.objects.update(changed_at=timezone.now() - timedelta(days=8))
    with django_capture_on_commit_callbacks(execute=True):
        jobs.tidy_checks()

    assert not RecipientCheck.objects.exists()
    assert [name for name in names if default_storage.exists(name)] == []


def test_a_refused_form_still_shows_the_kept_file(acme: Tenant, as_owner: Client, version: Any) -> None:
    check = checked(as_owner, acme, version)

    answer = post(as_owner, acme, version, submission_key=str(check.submission_key), file="", name="")

    assert answer.status_code == 422
    assert "recipients.xlsx" in answer.content.decode()


def test_a_form_posted_again_takes_nothing_from_the_reader_that_is_at_it(
    acme: Tenant, as_owner: Client, version: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = checked(as_owner, acme, version)
    RecipientCheck.objects.update(state="checking", turn=7)
    judge = services_check.judging.judge_attachments

    def meanwhile(*arguments: Any) -> None:
        RecipientCheck.objects.update(state="finished", good_count=99)
        judge(*arguments)

    monkeypatch.setattr(services_check.judging, "judge_attachments", meanwhile)
    post(as_owner, acme, version, submission_key=str(check.submission_key), file="", name="Summer")

    check.refresh_from_db()
    assert (check.name, check.state, check.turn, check.good_count) == ("Summer", "finished", 7, 99)
