"""新建发送任务: what the service takes and what it refuses."""

import io
import uuid
import zipfile
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from openpyxl import Workbook

from billing.services import remaining_units
from email_service.send_details.models import Message
from email_service.send_tasks import services
from email_service.send_tasks.models import Task
from iam.models import AuditEntry, Tenant
from koomessage.common.errors import RuleViolation
from tests.email_service.send_tasks.sending import make_sending_tenant, sheet, submit
from tests.factories_sending import make_sender, make_suppression, make_version


@pytest.fixture
def tenant(db: None) -> Tenant:
    return make_sending_tenant()


def test_typed_recipients_are_written_at_once_and_each_only_once(tenant: Tenant) -> None:
    task = submit(tenant, "a@qq.com", "A@QQ.com", "b@qq.com")

    assert (task.status, task.accepted_count) == ("sending", 2)
    assert Message.objects.filter(task=task, status="pending").count() == 2


def test_the_same_form_posted_twice_is_one_task(tenant: Tenant) -> None:
    key = uuid.uuid4()

    first = submit(tenant, "a@qq.com", submission_key=key)
    second = submit(tenant, "a@qq.com", submission_key=key)

    assert first == second
    assert Task.objects.count() == Message.objects.count() == 1


def test_a_scheduled_task_waits_and_its_messages_count_from_its_hour(tenant: Tenant) -> None:
    due = timezone.now() + timedelta(hours=2)

    task = submit(tenant, "a@qq.com", send_type="scheduled", due_at=due)

    assert task.status == "scheduled"
    assert Message.objects.get().accepted_at == Message.objects.get().next_attempt_at == due


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"recipients": []}, "recipients"),
        ({"recipients": ["a@"]}, "recipients"),
        ({"recipients": [f"r{n}@qq.com" for n in range(11)]}, "recipients"),
        ({"subject": "Dear {{nobody}}"}, "subject"),
        ({"subject": "Dear {{0a}}"}, "subject"),
        ({"send_type": "scheduled", "due_at": None}, "due_at"),
        ({"send_type": "scheduled", "due_at": timezone.now() - timedelta(minutes=1)}, "due_at"),
        ({"send_type": "scheduled", "due_at": timezone.now() + timedelta(days=366)}, "due_at"),
        ({"source": "file", "file": None}, "file"),
        ({"attachments": [SimpleUploadedFile(name, b"x" * (2 * 2**20 + 1)) for name in "ab"]}, "attachments"),
        ({"attachments": [SimpleUploadedFile(f"{n}.txt", b"x") for n in range(11)]}, "attachments"),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_is_refused_at_its_field(
    tenant: Tenant, overrides: dict[str, object], field: str
) -> None:
    with pytest.raises(RuleViolation) as refusal:
        submit(tenant, **{"recipients": ["a@qq.com"], **overrides})  # type: ignore[arg-type]

    assert refusal.value.field == field
    assert not Task.objects.exists()


def test_attachments_of_exactly_four_mib_are_taken(tenant: Tenant) -> None:
    task = submit(
        tenant, "a@qq.com", attachments=[SimpleUploadedFile("../../a\r\nb.pdf", b"x" * (4 * 2**20))]
    )

    assert [(file.name, file.size, file.content_type) for file in task.attachments.all()] == [
        ("ab.pdf", 4 * 2**20, "application/pdf")
    ]


def test_a_template_with_parameters_takes_a_file_only(tenant: Tenant) -> None:
    with pytest.raises(RuleViolation) as refusal:
        submit(tenant, "a@qq.com", version=make_version(tenant, body="{{name}}", parameters=["name"]))

    assert refusal.value.field == "source"


def test_strangers_templates_and_addresses_cannot_be_used(tenant: Tenant) -> None:
    stranger = make_sending_tenant()
    foreign = make_version(stranger)

    with pytest.raises(RuleViolation) as refusal:
        submit(tenant, "a@qq.com", template=foreign.template)
    assert refusal.value.field == "template"
    with pytest.raises(RuleViolation) as refusal:
        submit(tenant, "a@qq.com", address=make_sender(stranger))
    assert refusal.value.field == "address"


def test_a_template_that_waits_for_review_cannot_be_used(tenant: Tenant) -> None:
    with pytest.raises(RuleViolation) as refusal:
        submit(tenant, "a@qq.com", version=make_version(tenant, status="pending"))

    assert refusal.value.field == "template"


def test_an_address_whose_domain_lost_its_records_cannot_be_used(tenant: Tenant) -> None:
    address = make_sender(tenant)
    address.domain.status = "unverified"
    address.domain.save(update_fields=["status"])

    with pytest.raises(RuleViolation) as refusal:
        submit(tenant, "a@qq.com", address=address)
    assert refusal.value.field == "address"


def test_when_all_are_suppressed_nothing_is_written(tenant: Tenant) -> None:
    make_suppression(tenant, "a@qq.com")

    with pytest.raises(RuleViolation, match="suppression"):
        submit(tenant, "a@qq.com")
    assert not Task.objects.exists()


def test_without_units_nothing_is_submitted(tenant: Tenant) -> None:
    tenant.pay_as_you_go = False
    tenant.save(update_fields=["pay_as_you_go"])
    assert remaining_units(tenant) == 0

    with pytest.raises(RuleViolation):
        submit(tenant, "a@qq.com")
    assert not Task.objects.exists()


def _zip(**parts: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/"), content)
    return target.getvalue()


def _empty_sheet() -> bytes:
    target = io.BytesIO()
    Workbook().save(target)
    return target.getvalue()


def _bomb() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b"<Types/>")
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        archive.writestr("xl/sharedStrings.xml", b" " * 50_000_000)
    return target.getvalue()


def _crowd() -> bytes:
    needed = {"[Content_Types].xml": b"", "xl__workbook.xml": b""}
    return _zip(**needed, **{f"part{number}": b"" for number in range(199)})


BAD_FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "csv": (lambda: b"email\na@qq.com\n", "not an .xlsx"),
    "png": (lambda: b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "not an .xlsx"),
    "old or locked": (lambda: b"\xd0\xcf\x11\xe0" + b"\0" * 100, "old .xls"),
    "empty": (lambda: b"", "not an .xlsx"),
    "other zip": (lambda: _zip(**{"word__document.xml": b"<x/>"}), "not an .xlsx"),
    "cut off": (lambda: sheet(("email",), ("a@qq.com",)).read()[:300], "damaged"),
    "bomb": (_bomb, "too large once unpacked"),
    "many parts": (_crowd, "too large"),
    "empty sheet": (_empty_sheet, "empty"),
    "header only": (lambda: sheet(("email",)).read(), "no row below"),
    "no address column": (lambda: sheet(("name",), ("Li",)).read(), "收件人邮箱/email"),
    "a column twice": (lambda: sheet(("email", "x", "X"), ("a@qq.com", 1, 2)).read(), "twice"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_file_that_cannot_be_used_is_refused_with_what_to_do(tenant: Tenant, kind: str) -> None:
    content, words = BAD_FILES[kind]

    with pytest.raises(RuleViolation) as refusal:
        submit(tenant, source="file", file=SimpleUploadedFile("recipients.xlsx", content()))

    assert refusal.value.field == "file"
    assert words in str(refusal.value.message)


def test_a_file_without_a_parameters_column_is_refused_by_its_name(tenant: Tenant) -> None:
    version = make_version(tenant, body="{{name}} {{code}}", parameters=["name", "code"])

    with pytest.raises(RuleViolation, match="code") as refusal:
        submit(tenant, version=version, source="file", file=sheet(("email", "name"), ("a@qq.com", "Li")))
    assert refusal.value.field == "file"


def test_a_file_over_forty_mib_is_refused(tenant: Tenant) -> None:
    file = sheet(("email",), ("a@qq.com",))
    file.size = 40 * 2**20 + 1

    with pytest.raises(RuleViolation, match="40 MB"):
        submit(tenant, source="file", file=file)


def test_a_task_is_cancelled_whole_until_sending_has_begun(tenant: Tenant) -> None:
    task = submit(tenant, "a@qq.com", send_type="scheduled", due_at=timezone.now() + timedelta(hours=1))

    services.cancel_task(task, user=None)

    task.refresh_from_db()
    assert (task.status, task.cancelled_count, task.pending_count) == ("cancelled", 1, 0)
    assert Message.objects.get().status == "cancelled"
    services.cancel_task(task, user=None)  # from another tab
    assert AuditEntry.objects.filter(action="kooMessage:emailSendTask:cancel").count() == 1


def test_a_task_that_is_being_sent_cannot_be_cancelled_as_a_whole(tenant: Tenant) -> None:
    task = submit(tenant, "a@qq.com")

    with pytest.raises(RuleViolation, match="begun"):
        services.cancel_task(task, user=None)
    assert Message.objects.get().status == "pending"


def test_the_rest_of_a_running_task_is_cancelled(tenant: Tenant) -> None:
    task = submit(tenant, "a@qq.com", "b@qq.com")
    Message.objects.filter(recipient="a@qq.com").update(lease_token=7)

    services.cancel_rest(task, user=None)

    assert dict(Message.objects.values_list("recipient", "status")) == {
        "a@qq.com": "pending",
        "b@qq.com": "cancelled",
    }
    task.refresh_from_db()
    assert (task.status, task.cancelled_count, task.pending_count) == ("cancelled", 1, 1)
