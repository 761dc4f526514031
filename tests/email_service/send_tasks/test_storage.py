"""Recipient files and attachments in a storage whose files have no path, and one that fails for a while."""

import errno
import shutil
import tempfile
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import InMemoryStorage, default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from email_service.addresses.models import Address
from email_service.mail_templates.models import Template
from email_service.send_details.models import Message
from email_service.send_tasks import claims, jobs, recipients, services
from email_service.send_tasks.models import Attachment, Claim, Task
from email_service.send_tasks.models_check import RecipientCheck
from email_service.send_tasks.sweep import sweep
from iam.models import Tenant
from koomessage.common.errors import RuleViolation
from tests.email_service.delivery.peer import Peer
from tests.email_service.send_tasks.conftest import Hints
from tests.email_service.send_tasks.sending import deliver_all, make_sending_tenant, sender_of, sheet, submit
from tests.email_service.send_tasks.test_views import filled_in
from tests.factories import make_user
from tests.factories_sending import make_suppression, make_version

FULL = OSError(errno.ENOSPC, "No space left on device")
GUIDE = b"A guide to spring. " * 500


def guide() -> SimpleUploadedFile:
    return SimpleUploadedFile("guide.pdf", GUIDE, "application/pdf")


@pytest.fixture
def memory(settings: Any) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    }


def failing(error: Exception) -> Callable[..., Any]:
    def fail(*arguments: Any, **named: Any) -> Any:
        raise error

    return fail


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("far_storage")
def test_a_file_and_an_attachment_go_the_whole_way_without_a_path(
    peer: Peer, hints: Hints, settings: Any
) -> None:
    tenant = make_sending_tenant(peer)
    version = make_version(tenant, body="Dear {{name}}", parameters=["name"])
    rows = [("email", "name"), *((f"r{number}@qq.com", f"N{number}") for number in range(300))]
    form = filled_in(
        tenant,
        template=version.template.pk,
        source="file",
        recipients="",
        file=sheet(*rows),
        attachments=[guide()],
    )
    visitor = Client()
    visitor.force_login(make_user(tenant, is_main=True), backend="iam.backends.StaffBackend")

    assert visitor.post(reverse("email:task_add"), form).status_code == 302
    check = RecipientCheck.objects.get()
    assert hints == [(jobs.check_recipients.name, check.pk)]
    jobs.check_recipients(check.pk)
    assert visitor.post(reverse("email:check_submit", args=[check.pk])).status_code == 302
    task = Task.objects.get()
    assert hints[1:] == [(jobs.read_recipients.name, task.pk)]
    jobs.read_recipients(task.pk)
    deliver_all()

    task.refresh_from_db()
    assert (task.status, task.delivered_count) == (Task.Status.FINISHED, 300)
    assert len(set(peer.recipients)) == 300
    encoded = b64encode(GUIDE)[:60]
    assert all(encoded in mail and b"guide.pdf" in mail for mail in peer.mails)
    assert not settings.MEDIA_ROOT.exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize("place", ["copying", "no folder", "storage", "reading"])
def test_a_disk_that_is_full_and_a_storage_that_is_silent_are_waited_for(
    place: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    task = submit(make_sending_tenant(), source="file", file=sheet(("email",), ("a@qq.com",)))
    with monkeypatch.context() as broken:
        if place == "copying":
            broken.setattr(shutil, "copyfileobj", failing(FULL))
        elif place == "no folder":
            full = FileNotFoundError(errno.ENOENT, "No usable temporary directory found")
            broken.setattr(tempfile, "TemporaryFile", failing(full))
        elif place == "storage":
            broken.setattr(InMemoryStorage, "_open", failing(ConnectionError("The store does not answer")))
        else:
            broken.setattr(
                "django.core.files.storage.memory.InMemoryFileNode.open", failing(TimeoutError("too late"))
            )
        assert not recipients.read(task.pk)

    task.refresh_from_db()
    assert (task.status, task.status_reason, task.rows_read) == ("preparing", "", 0)
    assert f"Task {task.code} is read later: The stored file recipients/" in caplog.text
    assert claims.database_now() < task.reading_until <= claims.database_now() + recipients.READ_AGAIN
    Task.objects.update(reading_until=claims.database_now() - recipients.READ_AGAIN)
    assert sweep().unread == [task.pk]
    assert recipients.read(task.pk)
    assert Message.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("memory")
def test_a_recipient_file_that_is_gone_fails_its_task() -> None:
    task = submit(make_sending_tenant(), source="file", file=sheet(("email",), ("a@qq.com",)))
    default_storage.delete(task.recipient_file.name)

    assert not recipients.read(task.pk)

    task.refresh_from_db()
    assert (task.status, task.status_reason) == (Task.Status.FAILED, "bad_file")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("memory")
def test_mail_waits_for_a_storage_that_does_not_give_out_its_attachment(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("email_service.send_tasks.dispatch.shift.ASK_AGAIN", 0.0)
    task = submit(make_sending_tenant(peer), "a@qq.com", attachments=[guide()])
    with monkeypatch.context() as broken:
        broken.setattr(InMemoryStorage, "_open", failing(ConnectionError("The store does not answer")))
        for _ in range(3):
            assert jobs.dispatch.deliver_batch()
    task.refresh_from_db()
    assert (task.status, Claim.objects.count(), peer.recipients) == (Task.Status.SENDING, 0, [])

    deliver_all()

    assert peer.recipients == ["a@qq.com"]
    assert Message.objects.get().attempts == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("memory")
def test_a_task_whose_attachment_is_gone_waits_for_a_person(peer: Peer) -> None:
    task = submit(make_sending_tenant(peer), "a@qq.com", attachments=[guide()])
    default_storage.delete(Attachment.objects.get().file.name)

    deliver_all()

    task.refresh_from_db()
    assert (task.status, task.status_reason) == (Task.Status.PAUSED, "mail")


@pytest.mark.django_db
@pytest.mark.usefixtures("memory")
def test_a_storage_that_takes_nothing_refuses_the_form_with_a_sentence(
    acme: Tenant, as_owner: Client, monkeypatch: pytest.MonkeyPatch, hints: Hints
) -> None:
    make_version(acme)
    sender_of(acme)
    fields = {
        "template": Template.objects.get().pk,
        "address": Address.objects.get().pk,
        "name": "Spring sale",
    }
    form = filled_in(acme, **fields, source="file", recipients="", file=sheet(("email",), ("a@qq.com",)))
    monkeypatch.setattr(InMemoryStorage, "_save", failing(ConnectionError("The store does not answer")))

    answer = as_owner.post(reverse("email:task_add"), form)

    assert answer.status_code == 422
    assert "文件未能保存" in answer.content.decode()
    assert "Spring sale" in answer.content.decode()
    assert not Task.objects.exists() and not RecipientCheck.objects.exists()
    assert hints == []


@pytest.mark.django_db
@pytest.mark.usefixtures("memory")
def test_files_of_a_task_that_is_not_written_are_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = make_sending_tenant()
    make_suppression(tenant, "gone@qq.com")
    kept: list[str] = []
    save = InMemoryStorage._save

    def note(storage: InMemoryStorage, name: str, content: Any) -> str:
        kept.append(save(storage, name, content))
        if len(kept) == 4:
            raise ConnectionError("The store does not answer")
        return kept[-1]

    monkeypatch.setattr(InMemoryStorage, "_save", note)

    with pytest.raises(RuleViolation, match="suppression"):
        submit(tenant, "gone@qq.com", attachments=[guide()])
    with pytest.raises(RuleViolation, match="could not be stored"):
        submit(tenant, source="file", file=sheet(("email",), ("a@qq.com",)), attachments=[guide(), guide()])

    assert len(kept) == 4
    assert [name for name in kept[:3] if default_storage.exists(name)] == []
    assert not Attachment.objects.exists()
    assert services.Task.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.usefixtures("memory")
def test_files_stay_where_nobody_knows_whether_the_task_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []

    def lose_the_answer(task: Task, *arguments: Any) -> Task:
        kept.append(task.recipient_file.name)
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(services, "_write", lose_the_answer)

    with pytest.raises(OperationalError):
        submit(make_sending_tenant(), source="file", file=sheet(("email",), ("a@qq.com",)))

    assert default_storage.exists(kept[0])
