"""A task's page: figures that lead to the mails, rate, facts, files, and what may be done in each state."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.http import FileResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from email_service.send_details.models import Event, Message
from email_service.send_tasks import rates, shares, sweep
from email_service.send_tasks.models import Attachment, Task
from iam.models import AuditEntry, Tenant, User
from koomessage.common import uploads
from tests.conftest import FRAGMENT
from tests.factories import make_user
from tests.factories_sending import make_message, make_task, make_version

pytestmark = pytest.mark.django_db


def page_of(client: Client, task: Task) -> str:
    client.cookies["django_language"] = "en"
    return client.get(task.get_absolute_url()).content.decode()


def test_each_figure_leads_to_the_very_mails_it_counts(acme: Tenant, as_owner: Client) -> None:
    task = make_task(acme)
    make_message(make_task(acme), status="failed")
    for status, number in (("delivered", 3), ("failed", 2), ("expired", 1), ("held", 1), ("pending", 2)):
        for _each in range(number):
            make_message(task, status=status)
    Task.objects.filter(pk=task.pk).update(
        accepted_count=9, delivered_count=3, failed_count=3, pending_count=3
    )

    links = re.findall(
        r'href="(/email/details/\?task_code=[^"]+)" aria-label="([^"]+)"', page_of(as_owner, task)
    )

    found = {label: as_owner.get(url.replace("&amp;", "&")) for url, label in links}
    assert {label: len(answer.context["page"].rows) for label, answer in found.items()} == {
        "Recipients 9": 9,
        "Delivered 3": 3,
        "Failed 2": 2,
        "Pending 2": 2,
        "Expired 1": 1,
        "State unknown 1": 1,
    }


def test_whoever_may_not_list_mails_reads_figures_without_links(acme: Tenant) -> None:
    document = {
        "Version": "1.1",
        "Statement": [{"Effect": "Allow", "Action": ["kooMessage:emailSendTask:get"]}],
    }
    client = Client()
    client.force_login(_allowed(acme, document), backend="iam.backends.StaffBackend")

    page = page_of(client, make_task(acme, accepted_count=9))

    assert "stat-value" in page and "task_code=" not in page


def _allowed(tenant: Tenant, document: dict[str, Any]) -> User:
    from iam.models import Policy

    user = make_user(tenant, name="narrow")
    user.policies.add(Policy.objects.create(tenant=tenant, name="Narrow", document=document))
    return user


def test_the_smallest_part_of_the_bar_is_seen_and_all_of_them_fill_it() -> None:
    task = Task(delivered_count=999_990, failed_count=9, rejected_count=1)

    parts = shares.parts(task)

    assert [(part.status, part.width) for part in parts] == [
        ("delivered", "97.00"),
        ("failed", "1.50"),
        ("rejected", "1.50"),
    ]
    assert shares.parts(Task()) == []
    assert sum(float(part.width) for part in parts) == 100


def ended(task: Task, seconds_ago: float) -> None:
    moment = timezone.now() - timedelta(seconds=seconds_ago)
    message = make_message(task, status="delivered")
    Event.objects.create(message=message, tenant=task.tenant, kind="ended", at=moment)


def test_the_rate_is_of_this_tasks_last_minute_and_says_when_the_rest_has_ended(acme: Tenant) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        now = timezone.now()
        task = make_task(acme, started_at=now - timedelta(hours=1))
        other = make_task(acme, started_at=now)
        for seconds in (1, 20, 59, 61, 300):
            ended(task, seconds)
            ended(other, seconds)

        rate = rates.rate_of(task, waiting=10)

        assert rate == rates.Rate(3 / 60, now + timedelta(seconds=200))
        assert rates.rate_of(other, waiting=0) == rates.Rate(3.0, None), "only just begun"
        assert rates.rate_of(make_task(acme), waiting=1) is None
        task.status = Task.Status.PAUSED
        assert rates.rate_of(task, waiting=10) is None


def test_of_a_fast_account_only_the_latest_are_looked_at(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(rates, "SAMPLE", 4)
    with time_machine.travel(timezone.now(), tick=False):
        task = make_task(acme, started_at=timezone.now() - timedelta(hours=1))
        for seconds in (50, 40, 8, 6, 4, 2):
            ended(task, seconds)

        with django_assert_num_queries(1):
            rate = rates.rate_of(task, waiting=0)

    assert rate == rates.Rate(4 / 8, None)


@pytest.mark.parametrize(
    ("status", "more", "offered"),
    [
        ("preparing", {}, {"task-cancel"}),
        ("scheduled", {}, {"task-cancel"}),
        ("sending", {}, {"task-pause", "task-cancel-rest"}),
        ("paused", {}, {"task-resume", "task-cancel-rest"}),
        ("paused", {"status_reason": "late"}, {"task-resume", "task-cancel-rest"}),
        ("quota_paused", {}, {"task-cancel-rest"}),
        ("finished", {}, set()),
        ("finished", {"failed_count": 1}, {"task-resend"}),
        ("cancelled", {"failed_count": 1}, {"task-resend"}),
        ("failed", {}, set()),
    ],
)
def test_the_page_offers_what_the_state_allows(
    acme: Tenant, as_owner: Client, as_reader: Client, *, status: str, more: dict[str, Any], offered: set[str]
) -> None:
    task = make_task(acme, status=status, **more)
    buttons = r'id="(task-(?:cancel|pause|resume|cancel-rest|resend))"'

    assert set(re.findall(buttons, page_of(as_owner, task))) == offered
    assert re.findall(buttons, page_of(as_reader, task)) == []


def test_original_and_resend_lead_to_each_other_and_it_is_offered_once(
    acme: Tenant, as_owner: Client
) -> None:
    original = make_task(acme, status=Task.Status.FINISHED, failed_count=1)
    again = make_task(acme, source=Task.Source.RESEND, resend_of=original, name="Once more")

    page = page_of(as_owner, original)

    assert again.get_absolute_url() in page and 'id="task-resend"' not in page
    assert original.get_absolute_url() in page_of(as_owner, again)


def test_attachments_are_saved_and_never_shown(acme: Tenant, as_reader: Client, as_stranger: Client) -> None:
    task = make_task(acme)
    row = Attachment(task=task, name="价目表.html", content_type="text/html", size=8)
    row.file.save("x.bin", ContentFile(b"<script>"))
    row.save()
    address = reverse("email:task_attachment", args=[task.pk, row.pk])

    answer = as_reader.get(address)

    assert isinstance(answer, FileResponse)
    assert b"".join(answer.streaming_content) == b"<script>"  # type: ignore[arg-type]
    assert answer["Content-Disposition"].startswith("attachment; filename*=utf-8''%E4%BB%B7")
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == (
        "application/octet-stream",
        "nosniff",
    )
    assert address in page_of(as_reader, task)
    assert as_stranger.get(address).status_code == 404
    other = reverse("email:task_attachment", args=[make_task(acme).pk, row.pk])
    assert as_reader.get(other).status_code == 404
    row.file.storage.delete(row.file.name)
    assert as_reader.get(address).status_code == 404


def test_a_storage_out_of_reach_is_said_in_words(
    acme: Tenant, as_owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(field_file: Any) -> Any:
        raise uploads.StorageSilent

    task = make_task(acme)
    row = Attachment.objects.create(task=task, name="a.pdf", file="a.bin", size=1)
    monkeypatch.setattr(uploads, "opened", silent)

    answer = as_owner.get(reverse("email:task_attachment", args=[task.pk, row.pk]))

    assert (answer.status_code, answer["Location"]) == (302, task.get_absolute_url())


def test_the_recipient_file_is_for_those_who_may_see_addresses_and_is_put_on_record(
    acme: Tenant, owner: User, as_owner: Client, as_reader: Client, as_stranger: Client
) -> None:
    task = make_task(acme, source=Task.Source.FILE, recipient_file_name="顾客.xlsx")
    task.recipient_file.save("x.xlsx", ContentFile(b"sheet"))
    address = reverse("email:task_recipients", args=[task.pk])

    answer = as_owner.post(address)

    assert b"".join(answer.streaming_content) == b"sheet"  # type: ignore[arg-type, attr-defined]
    assert "attachment" in answer["Content-Disposition"]
    entry = AuditEntry.objects.get(action="kooMessage:emailSendDetail:reveal")
    assert (entry.user, entry.target, entry.detail) == (owner, f"{task.code} {task}", {"file": "顾客.xlsx"})
    assert as_owner.get(address).status_code == 405
    assert as_reader.post(address).status_code == 403
    assert as_stranger.post(address).status_code == 404
    assert address in page_of(as_owner, task) and address not in page_of(as_reader, task)
    assert AuditEntry.objects.filter(action="kooMessage:emailSendDetail:reveal").count() == 1
    assert as_owner.post(reverse("email:task_recipients", args=[make_task(acme).pk])).status_code == 404


def test_the_mail_is_shown_as_it_was_frozen(acme: Tenant, as_reader: Client, as_stranger: Client) -> None:
    version = make_version(acme, body="As it was")
    task = make_task(acme, template_version=version)
    newer = make_version(acme, body="As it is now")
    newer.template_id, newer.number = version.template_id, 2
    newer.save()
    version.template.version = newer
    version.template.save()
    address = reverse("email:task_mail", args=[task.pk])

    answer = as_reader.get(address)

    assert "As it was" in answer.content.decode()
    assert "sandbox" in answer["Content-Security-Policy"]
    assert as_stranger.get(address).status_code == 404


def test_a_task_whose_hour_passed_asks_before_it_goes_on(acme: Tenant, owner: User) -> None:
    due = timezone.now() - timedelta(days=2, minutes=1)
    task = make_task(
        acme, name="Spring", status=Task.Status.SCHEDULED, send_type="scheduled", due_at=due, pending_count=7
    )
    address = reverse("email:task_resume", args=[task.pk])
    as_owner = Client()
    as_owner.force_login(owner, backend="iam.backends.StaffBackend")
    sweep.sweep()

    page = page_of(as_owner, task)
    listed = as_owner.get(reverse("email:task_list")).content.decode()
    overview = as_owner.get(reverse("console:overview")).content.decode()
    question = as_owner.get(address, **FRAGMENT).content.decode()
    task.refresh_from_db()
    assert (task.status, task.started_at) == ("paused", None), "a question changes nothing"
    as_owner.post(address)

    task.refresh_from_db()
    said = timezone.localtime(due, timezone.get_fixed_timezone(480)).strftime("%Y-%m-%d %H:%M:%S")
    assert said in page and "2\xa0days" in page
    assert f'hx-get="{address}"' in page and f'hx-get="{address}"' in listed
    assert "Needs your decision" in listed and "Needs attention" in overview
    assert f"It was due at {said}, 2\xa0days" in question and "7 mails wait." in question
    assert (task.status, task.started_at is not None) == ("sending", True)
    assert "Needs attention" not in as_owner.get(reverse("console:overview")).content.decode()


def test_late_tasks_of_others_are_nobodys_business(globex: Tenant, acme: Tenant, as_owner: Client) -> None:
    make_task(globex, status=Task.Status.PAUSED, status_reason="late")
    as_owner.cookies["django_language"] = "en"

    assert "Needs attention" not in as_owner.get(reverse("console:overview")).content.decode()


def test_the_page_costs_the_same_however_large_the_task(
    acme: Tenant, as_owner: Client, django_assert_max_num_queries: Any
) -> None:
    task = make_task(acme, pending_count=3, accepted_count=3)
    for _each in range(3):
        make_message(task)

    with django_assert_max_num_queries(18):
        as_owner.get(task.get_absolute_url())
    with django_assert_max_num_queries(12):
        as_owner.get(reverse("email:task_progress", args=[task.pk]), **FRAGMENT)
    assert Message.objects.count() == 3
