"""Recipient files: every good row one message, every other row a reason."""

import zipfile
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DataError

from email_service.send_details.models import Message
from email_service.send_tasks import jobs, recipients
from email_service.send_tasks.models import RejectedRow, Task
from iam.models import Tenant
from tests.email_service.send_tasks.sending import XLSX, make_sending_tenant, sheet, submit
from tests.factories_sending import make_suppression, make_version


@pytest.fixture
def tenant(db: None) -> Tenant:
    return make_sending_tenant()


def test_rows_become_messages_with_their_parameters_in_the_templates_order(tenant: Tenant) -> None:
    version = make_version(tenant, body="{{name}} {{City}}", parameters=["name", "City"])
    file = sheet(("CITY", "Email", "unused", "name"), ("Xi'an", "One@QQ.com", "x", "Li"), ("", "", "", ""))

    task = submit(tenant, version=version, source=Task.Source.FILE, file=file)
    assert task.status == Task.Status.PREPARING
    assert recipients.read(task.pk)

    message = Message.objects.get()
    assert (message.recipient, message.recipient_key, message.domain) == (
        "One@qq.com",
        "one@qq.com",
        "qq.com",
    )
    assert message.params == ["Li", "Xi'an"]
    assert message.row_number == 2
    task.refresh_from_db()
    assert (task.status, task.accepted_count, task.pending_count, task.is_read) == ("sending", 1, 1, True)


def test_every_row_that_becomes_no_message_is_listed_with_its_reason(tenant: Tenant) -> None:
    make_suppression(tenant, "gone@qq.com")
    version = make_version(tenant, body="{{name}}", parameters=["name"])
    rows = [
        ("email", "name"),
        ("ok@qq.com", "A"),
        ("not an address", "B"),
        ("OK@QQ.COM ", "C"),
        ("gone@qq.com", "D"),
        ("empty@qq.com", ""),
        ("", "E"),
        ("long@qq.com", "x" * 1001),
    ]

    task = submit(tenant, version=version, source=Task.Source.FILE, file=sheet(*rows))
    recipients.read(task.pk)

    listed = dict(RejectedRow.objects.filter(task=task).values_list("row_number", "reason"))
    assert listed == {
        3: "bad_address", 4: "duplicate", 5: "suppressed", 6: "no_value", 7: "no_address", 8: "long_value",
    }  # fmt: skip
    task.refresh_from_db()
    counts = (task.accepted_count, task.bad_count, task.duplicate_count, task.suppressed_count)
    assert counts == (1, 4, 1, 1)


def test_a_value_that_is_a_links_address_must_be_one(tenant: Tenant) -> None:
    body = '<a href="{{link}}">Go</a>'
    version = make_version(tenant, body=body, body_type="rich", parameters=["link"])
    rows = [("email", "link"), ("a@qq.com", "javascript:alert(1)"), ("b@qq.com", "https://shop.example/")]

    task = submit(tenant, version=version, source=Task.Source.FILE, file=sheet(*rows))
    recipients.read(task.pk)

    assert RejectedRow.objects.get().reason == "bad_link"
    assert Message.objects.get().recipient == "b@qq.com"


def test_a_reader_that_was_killed_is_resumed_where_its_last_chunk_ended(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipients, "CHUNK", 10)
    task = submit(
        tenant, source=Task.Source.FILE, file=sheet(("email",), *[(f"r{n}@qq.com",) for n in range(25)])
    )
    chunks = iter(range(2))
    store = recipients._store

    def dies(*arguments: object) -> None:
        if next(chunks, None) is None:
            raise SystemExit
        store(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(recipients, "_store", dies)
    with pytest.raises(SystemExit):
        recipients.read(task.pk)
    task.refresh_from_db()
    assert (task.status, task.rows_read, task.accepted_count) == ("preparing", 21, 20)

    monkeypatch.setattr(recipients, "_store", store)
    assert not recipients.read(task.pk), "the dead reader's lease still runs"
    Task.objects.update(reading_until=None)
    assert recipients.read(task.pk)

    task.refresh_from_db()
    assert (task.status, task.accepted_count, task.duplicate_count) == ("sending", 25, 0)
    assert Message.objects.filter(task=task).count() == 25


def test_a_task_without_one_good_row_fails_and_says_why(tenant: Tenant) -> None:
    task = submit(tenant, source=Task.Source.FILE, file=sheet(("email",), ("nobody",)))

    jobs.read_recipients(task.pk)

    task.refresh_from_db()
    assert (task.status, task.status_reason) == ("failed", "nobody")


def test_a_file_with_too_many_rows_fails_and_gives_everything_back(tenant: Tenant, settings: object) -> None:
    settings.MAX_RECIPIENT_ROWS = 3  # type: ignore[attr-defined]
    task = submit(
        tenant, source=Task.Source.FILE, file=sheet(("email",), *[(f"r{n}@qq.com",) for n in range(4)])
    )

    recipients.read(task.pk)

    task.refresh_from_db()
    assert (task.status, task.status_reason) == ("failed", "too_many_rows:3")
    assert not Message.objects.filter(task=task, status="pending").exists()


def test_a_cancelled_task_is_not_read_on(tenant: Tenant) -> None:
    task = submit(tenant, source=Task.Source.FILE, file=sheet(("email",), ("a@qq.com",)))
    Task.objects.update(status=Task.Status.CANCELLED)

    assert not recipients.read(task.pk)
    assert not Message.objects.exists()


def test_a_value_no_database_takes_is_read_without_it(tenant: Tenant) -> None:
    version = make_version(tenant, body="{{name}}", parameters=["name"])
    file = sheet(("email", "name"), ("a@qq.com", "Li"))
    target = BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"<t>Li</t>", b"<t>L_x0000_i</t>"))
    task = submit(
        tenant,
        version=version,
        source=Task.Source.FILE,
        file=SimpleUploadedFile("r.xlsx", target.getvalue(), XLSX),
    )

    assert recipients.read(task.pk)

    assert Message.objects.get().params == ["Li"]


def test_a_file_whose_rows_cannot_be_stored_fails_instead_of_being_read_for_ever(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    task = submit(tenant, source=Task.Source.FILE, file=sheet(("email",), ("a@qq.com",)))

    def refuse(*arguments: object, **named: object) -> None:
        raise DataError("out of range")

    monkeypatch.setattr(recipients, "write", refuse)
    assert not recipients.read(task.pk)

    task.refresh_from_db()
    assert (task.status, task.status_reason) == ("failed", "bad_file")
    caplog.clear()
