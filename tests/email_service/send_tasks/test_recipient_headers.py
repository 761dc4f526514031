"""Which first rows a recipient file may have, and which names parameters may have."""

import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from email_service.mail_templates.parameters import find_parameters
from email_service.models import Message, RecipientCheck, RejectedRow, Task
from email_service.send_tasks import columns, limits, recipients
from iam.models import Tenant
from koomessage.common.errors import RuleViolation
from tests.email_service.send_tasks.sending import XLSX, make_sending_tenant, sheet, submit
from tests.email_service.send_tasks.test_views import filled_in
from tests.factories_sending import make_version
from tests.koomessage.hostile_sheets import PARTS

NAMES = ("name", "City")

# First row -> where address and parameters are found, or words of the refusal.
HEADERS: dict[tuple[str, ...], tuple[int, tuple[int, ...]] | str] = {
    ("email", "name", "City"): (0, (1, 2)),
    ("收件人邮箱/email", "name", "City"): (0, (1, 2)),
    ("City", "邮箱", "name"): (1, (2, 0)),
    ("EMAIL", "NAME", "city"): (0, (1, 2)),
    (" E-Mail ", "{{name}}", "{{ City }}"): (0, (1, 2)),
    ("\ufeffemail", "name", "City"): (0, (1, 2)),
    ("id", "email", "", "name", "note", "City", ""): (1, (3, 5)),
    ("email", "name"): "City",
    ("email", "City "): "name",
    ("name", "City"): columns.ADDRESS_HEADER,
    ("address", "name", "City"): columns.ADDRESS_HEADER,
    ("email", "名字", "City"): "name",
    ("email", "name", "NAME", "City"): "twice",
    ("email", "邮箱", "name", "City"): "twice",
    ("email", "name", "City", "note", "Note"): "twice",
    (): columns.ADDRESS_HEADER,
}  # fmt: skip


@pytest.mark.parametrize("header", HEADERS, ids=lambda header: "|".join(header) or "nothing")
def test_columns_are_found_by_their_names_or_the_file_is_refused(header: tuple[str, ...]) -> None:
    expected = HEADERS[header]

    if isinstance(expected, str):
        with pytest.raises(columns.BadHeader, match=expected):
            columns.match(header, NAMES)
    else:
        layout = columns.match(header, NAMES)
        assert (layout.address, layout.parameters) == expected


def test_a_parameter_called_email_has_the_column_of_that_name() -> None:
    both = columns.match(("email", "收件人邮箱/email"), ("email",))
    one = columns.match(("name", "Email"), ("email",))

    assert (both.address, both.parameters) == (1, (0,))
    assert (one.address, one.parameters) == (1, (1,))


@pytest.mark.parametrize("name", ["settings", "class", "self", "None", "items", "a", "A1_b"])
def test_names_that_mean_something_to_programs_are_parameters_as_others(db: None, name: str) -> None:
    tenant = make_sending_tenant()
    version = make_version(tenant, body="{{" + name + "}}", parameters=[name])
    task = submit(
        tenant, version=version, source=Task.Source.FILE, file=sheet(("email", name), ("a@qq.com", "x"))
    )

    assert recipients.read(task.pk)
    assert Message.objects.get().params == ["x"]


@pytest.mark.parametrize("name", ["__init__", "0a", "a.b", "a b", "_a", "参数", "a-b", ""])
def test_other_names_are_no_parameters(name: str) -> None:
    with pytest.raises(RuleViolation):
        find_parameters("{{" + name + "}}")


def test_fifteen_parameters_are_taken_and_sixteen_are_not(db: None) -> None:
    names = [f"p{number}" for number in range(16)]
    with pytest.raises(RuleViolation, match="15"):
        find_parameters(" ".join("{{" + name + "}}" for name in names))

    tenant = make_sending_tenant()
    version = make_version(tenant, body=" ".join("{{" + n + "}}" for n in names[:15]), parameters=names[:15])
    rows = [("email", *names[:15]), ("a@qq.com", *range(15)), ("b@qq.com", *range(14), "")]
    task = submit(tenant, version=version, source=Task.Source.FILE, file=sheet(*rows))
    recipients.read(task.pk)

    assert Message.objects.get().params == [str(number) for number in range(15)]
    assert RejectedRow.objects.get().reason == "no_value"


def padded(size: int) -> SimpleUploadedFile:
    """A workbook of exactly so many bytes: a part that is stored as it is fills it up."""

    def made(length: int) -> bytes:
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in PARTS.items():
                archive.writestr(name, content)
            archive.writestr(zipfile.ZipInfo("docProps/thumbnail.bin"), bytes(length))
        return target.getvalue()

    return SimpleUploadedFile("recipients.xlsx", made(size - len(made(0))), XLSX)


@pytest.mark.parametrize(("extra", "status"), [(0, 302), (1, 422)])
def test_forty_mib_are_taken_and_a_byte_more_is_not(
    acme: Tenant, as_owner: Client, extra: int, status: int
) -> None:
    file = padded(limits.MAX_FILE_BYTES + extra)
    assert file.size == 40 * 2**20 + extra

    answer = as_owner.post(
        reverse("email:task_add"), filled_in(acme, source="file", recipients="", file=file)
    )

    assert answer.status_code == status
    assert RecipientCheck.objects.exists() == (status == 302)
    if status == 422:
        assert "40 MB" in str(answer.context["form"].errors["file"])
