"""再次发送给失败的收件人: a new task of those that failed, copied exactly once, with what each of them had."""

import uuid
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from billing.models import Reservation
from email_service.addresses.models import Address
from email_service.domains.models import Domain
from email_service.mail_templates.models import Template
from email_service.send_details.models import Message
from email_service.send_tasks import jobs, recipients, resending, services_again, sweep
from email_service.send_tasks.models import Attachment, RejectedRow, Task
from email_service.setup.models import EmailService
from iam.models import AuditEntry, Tenant, User
from koomessage.common.errors import RuleViolation
from tests.conftest import FRAGMENT
from tests.factories_billing import make_package
from tests.factories_sending import make_message, make_suppression, make_task, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def ended(acme: Tenant) -> Task:
    """A task that ended with two failed, one expired, one rejected and one delivered."""
    version = make_version(acme, body="{{name}}", parameters=["name"])
    task = make_task(acme, name="Spring", template_version=version, status=Task.Status.FINISHED)
    ends = ("failed", "failed", "expired", "rejected", "delivered")
    for number, status in enumerate(ends, start=2):
        make_message(
            task,
            recipient=f"Reader{number}@qq.com",
            status=status,
            params=[f"Reader {number}"],
            row_number=number,
        )
    return task


def again(task: Task, user: User, key: str = "5f0c6f0e-7e0e-4c1c-8f0a-1f2e3d4c5b6a") -> Task:
    return services_again.resend_failed(task, user=user, submission_key=uuid.UUID(key))


def copied(task: Task) -> list[tuple[str, str, list[str], int, str]]:
    rows = Message.objects.filter(task=task).order_by("row_number")
    return list(rows.values_list("recipient", "recipient_key", "params", "row_number", "status"))


def test_those_that_failed_get_the_same_mail_with_their_own_values(
    ended: Task, owner: User, hints: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    row = Attachment(task=ended, name="price.pdf", content_type="application/pdf", size=4)
    row.file.save("x.bin", ContentFile(b"data"))

    with django_capture_on_commit_callbacks(execute=True):
        task = again(ended, owner)
    recipients.read(task.pk)

    task.refresh_from_db()
    assert hints == [(jobs.read_recipients.name, task.pk)]
    assert copied(task) == [
        (f"Reader{number}@qq.com", f"reader{number}@qq.com", [f"Reader {number}"], number, "pending")
        for number in (2, 3, 4)
    ]
    assert (task.status, task.accepted_count, task.pending_count, task.rows_read) == ("sending", 3, 3, 3)
    assert (task.template_version, task.subject, task.sender) == (
        ended.template_version,
        ended.subject,
        ended.sender,
    )
    assert list(task.attachments.values_list("name", "file")) == [("price.pdf", row.file.name)]
    assert sum(Reservation.objects.filter(reference=task.code).values_list("reserved", flat=True)) == 3
    entry = AuditEntry.objects.get(target__startswith=task.code)
    assert (entry.user, entry.detail) == (owner, {"resend_of": ended.code})


def test_a_reader_killed_before_or_after_a_chunk_is_gone_on_from_and_charges_each_once(
    ended: Task, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resending, "CHUNK", 1)
    task = again(ended, owner)
    copy, looked = resending.copy, resending.next_chunk
    counts = []

    def die_in_a_chunk(*arguments: Any, **named: Any) -> None:
        copy(*arguments, **named)
        raise KeyboardInterrupt

    def die_after_a_chunk(row: Task) -> resending.Chunk | None:
        if row.rows_read > len(counts) - 1:
            raise KeyboardInterrupt
        return looked(row)

    for name, death in [("copy", die_in_a_chunk), *[("next_chunk", die_after_a_chunk)] * 2]:
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(resending, name, death)
            recipients.read(task.pk)
        counts.append(Message.objects.filter(task=task).count())
        Task.objects.filter(pk=task.pk).update(reading_until=None)  # as when its lease has ended
        assert sweep.sweep().unread == [task.pk]
    recipients.read(task.pk)
    recipients.read(task.pk)

    task.refresh_from_db()
    assert counts == [0, 1, 2], "half a chunk is none"
    assert (task.status, task.accepted_count, task.rows_read) == ("sending", 3, 3)
    assert Message.objects.filter(task=task).count() == 3
    assert sum(Reservation.objects.filter(reference=task.code).values_list("reserved", flat=True)) == 3


def test_the_suppressed_are_listed_and_left_out(ended: Task, owner: User) -> None:
    make_suppression(ended.tenant, "reader3@qq.com")
    task = again(ended, owner)

    recipients.read(task.pk)

    task.refresh_from_db()
    assert [row[0] for row in copied(task)] == ["Reader2@qq.com", "Reader4@qq.com"]
    assert (task.accepted_count, task.suppressed_count) == (2, 1)
    assert list(RejectedRow.objects.filter(task=task).values_list("row_number", "value", "reason")) == [
        (3, "Reader3@qq.com", "suppressed")
    ]


def test_where_all_are_suppressed_by_then_the_task_ends_and_says_so(ended: Task, owner: User) -> None:
    task = again(ended, owner)
    suppress_everybody(ended)

    recipients.read(task.pk)

    task.refresh_from_db()
    assert (task.status, task.status_reason) == ("failed", "none_left")


def test_without_units_nothing_is_sent_and_it_may_be_tried_again(ended: Task, owner: User) -> None:
    Tenant.objects.filter(pk=ended.tenant_id).update(pay_as_you_go=False)
    make_package(ended.tenant, units=2)
    task = again(ended, owner)

    recipients.read(task.pk)

    task.refresh_from_db()
    assert (task.status, task.status_reason, task.accepted_count) == ("failed", "units", 0)
    assert again(ended, owner, str(uuid.uuid4())).pk != task.pk


def test_one_form_is_one_task_and_another_form_is_refused_with_the_way_there(
    ended: Task, owner: User
) -> None:
    first = again(ended, owner)

    assert again(ended, owner) == first
    with pytest.raises(RuleViolation) as refusal:
        again(ended, owner, str(uuid.uuid4()))

    assert refusal.value.link is not None and refusal.value.link.url == first.get_absolute_url()
    assert Task.objects.filter(resend_of=ended).count() == 1


def unfinish(task: Task) -> None:
    Task.objects.filter(pk=task.pk).update(status=Task.Status.PAUSED)


def reach_everybody(task: Task) -> None:
    Message.objects.filter(task=task).update(status="delivered")


def suppress_everybody(task: Task) -> None:
    for number in (2, 3, 4):
        make_suppression(task.tenant, f"reader{number}@qq.com")


def leave_one_on_its_way(task: Task) -> None:
    make_message(task)


def pause_account(task: Task) -> None:
    EmailService.objects.filter(tenant=task.tenant).update(paused=True)


def lose_domain(task: Task) -> None:
    Domain.objects.filter(pk=task.domain_id).update(status=Domain.Status.UNVERIFIED)


def delete_address(task: Task) -> None:
    Address.objects.filter(pk=task.address_id).delete()


def reject_version(task: Task) -> None:
    task.template_version.status = Template.Status.REJECTED
    task.template_version.save(update_fields=["status"])


def delete_template(task: Task) -> None:
    Template.objects.filter(pk=task.template_id).update(is_deleted=True)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (unfinish, "has not ended"),
        (reach_everybody, "No mail of this task failed"),
        (suppress_everybody, "suppression list"),
        (leave_one_on_its_way, "still on their way"),
        (pause_account, "Sending is paused"),
        (lose_domain, "sender address"),
        (delete_address, "sender address"),
        (reject_version, "template"),
        (delete_template, "template"),
    ],
)
def test_what_may_not_be_sent_is_refused_in_words(
    ended: Task, as_owner: Client, spoil: Any, words: str
) -> None:
    spoil(ended)
    as_owner.cookies["django_language"] = "en"

    answer = as_owner.post(reverse("email:task_resend", args=[ended.pk]), **FRAGMENT)

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Task.objects.filter(resend_of=ended).exists()


def test_the_question_says_how_many_and_what_it_costs_and_its_form_makes_one_task(
    ended: Task, as_owner: Client
) -> None:
    make_package(ended.tenant, units=1_000)
    make_suppression(ended.tenant, "reader2@qq.com")
    as_owner.cookies["django_language"] = "en"

    question = as_owner.get(reverse("email:task_resend", args=[ended.pk]), **FRAGMENT)
    page = question.content.decode()
    action = question.context["action_url"]
    answers = [as_owner.post(action, **FRAGMENT) for _ in range(2)]

    assert "3 mails of “Spring”" in page and "1 of them are on the suppression list" in page
    assert "takes 2 mails; your packages hold 1,000" in page
    task = Task.objects.get(resend_of=ended)
    assert [answer["HX-Redirect"] for answer in answers] == [task.get_absolute_url()] * 2


def test_a_bare_post_twice_is_one_task_too(ended: Task, as_owner: Client) -> None:
    answers = [as_owner.post(reverse("email:task_resend", args=[ended.pk])) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert Task.objects.filter(resend_of=ended).count() == 1


def test_copying_thousands_takes_as_many_queries_as_copying_three(
    ended: Task, owner: User, django_assert_max_num_queries: Any
) -> None:
    first = Message.objects.filter(task=ended, status="failed").first()
    assert first is not None
    Message.objects.bulk_create(
        Message(
            tenant=ended.tenant, task=ended, recipient=f"m{number}@qq.com", recipient_key=f"m{number}@qq.com",
            domain="qq.com", row_number=100 + number, status="failed", accepted_at=first.accepted_at,
            finished_at=first.accepted_at, params=["x"],
        )
        for number in range(4_000)
    )  # fmt: skip
    task = again(ended, owner)

    with django_assert_max_num_queries(40):
        recipients.read(task.pk)

    assert Message.objects.filter(task=task).count() == 4_003


def test_strangers_find_nothing_and_readers_send_nothing_again(
    ended: Task, as_stranger: Client, as_reader: Client
) -> None:
    address = reverse("email:task_resend", args=[ended.pk])

    assert as_stranger.get(address).status_code == 404
    assert as_reader.post(address).status_code == 403
    assert not Task.objects.filter(resend_of=ended).exists()
