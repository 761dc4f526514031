"""Files out of the admin and into it: no formula, no secret, and no file that harms."""

import csv
import os
import time
import zipfile
from io import BytesIO, StringIO
from typing import Any

import pytest
import tablib
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db.models import Model
from django.test import Client
from import_export.mixins import BaseImportExportMixin

from billing.models import PackageSpec
from email_service.addresses.models import Address
from email_service.domains.models import DkimKey, Domain
from email_service.mail_templates.models import Template
from iam.models import Tenant
from koomessage.common.exchange import KEPT_SECONDS, CsvFile, UploadFolder, XlsxFile
from koomessage.common.exchange_admin import MOST_BYTES_IN, TableExport
from koomessage.common.models import EncryptedTextField
from koomessage.common.spreadsheets import BadSpreadsheet
from tests.conftest import _client
from tests.exchange import CSV, XLSX, address, cells, confirm, export, preview
from tests.factories import make_staff
from tests.factories_domains import PRIVATE_KEY, make_address, make_domain
from tests.factories_templates import make_template

pytestmark = pytest.mark.django_db
TABLES: dict[Any, Any] = {
    model: page for model, page in admin.site._registry.items() if isinstance(page, BaseImportExportMixin)
}
RESOURCES = [
    (model, number)
    for model, page in TABLES.items()
    for number in range(len(page.get_export_resource_classes(None)))
]
EVIL = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "=cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    " =1+1",
    "＝1+1",
    "|x",
    "%x",
]
HARMLESS = ["-5", "+86", "12.50", "a=b", "Hello", "", "'quoted'", 'say "hi",\nplease', "mail@shop.example"]


def table(*texts: str) -> Any:
    dataset = tablib.Dataset(headers=["text"])
    dataset.extend([[text] for text in texts])
    return dataset


def test_every_table_that_goes_out_goes_by_our_files():
    assert {Address, Domain, PackageSpec, Template} <= set(TABLES)
    for page in TABLES.values():
        assert isinstance(page, TableExport)
        assert page.get_export_formats() == [CsvFile, XlsxFile]


@pytest.mark.parametrize("text", EVIL)
def test_csv_marks_what_a_spreadsheet_would_calculate(text: str):
    written = CsvFile().export_data(table(text))

    (_heading, (cell,)) = list(csv.reader(StringIO(written, newline="")))
    assert cell == f"'{text}"
    assert CsvFile().create_dataset(written)["text"] == [text]


@pytest.mark.parametrize("text", HARMLESS)
def test_csv_leaves_everything_else_as_it_is(text: str):
    written = CsvFile().export_data(table(text, "x"))

    assert list(csv.reader(StringIO(written, newline="")))[1:] == [[text] if text else [""], ["x"]]


@pytest.mark.parametrize("text", [*EVIL, *HARMLESS])
def test_cells_of_a_workbook_are_text(text: str):
    content = XlsxFile().export_data(table(text, "x"))

    sheet = zipfile.ZipFile(BytesIO(content)).read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet and "<hyperlink" not in sheet
    assert XlsxFile().create_dataset(content)["text"][-1] == "x"


def test_a_text_that_fits_no_cell_is_refused_instead_of_cut():
    with pytest.raises(ValueError, match="CSV"):
        XlsxFile().export_data(table("x" * 32_768))


@pytest.mark.parametrize(("model", "resource"), RESOURCES)
@pytest.mark.parametrize("kind", [CSV, XLSX])
def test_no_secret_leaves_by_any_export(
    model: type[Model], resource: int, kind: str, as_operator: Client, acme: Tenant
):
    domain = make_domain(acme, verified=True, token="ownership-token-9f3a")
    make_address(domain)
    make_template(acme)
    make_template()
    stored = DkimKey.objects.get().private_key
    PackageSpec.objects.get_or_create(name="P", defaults={"units": 5, "price": 1, "currency": "CNY"})

    answer = export(
        as_operator, model, kind=kind, resource=resource, query="?owner=all" if model is Template else ""
    )

    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith("attachment")
    text = str(cells(answer)) if kind == XLSX else answer.content.decode("utf-8-sig")
    assert len(text.splitlines()) > 1 or kind == XLSX
    for secret in (
        "ownership-token-9f3a",
        stored[40:80],
        PRIVATE_KEY.decode()[40:80],
        "PRIVATE KEY",
        "gAAAA",
    ):
        assert secret not in text


def test_no_exported_column_is_an_encrypted_field_or_belongs_to_a_key():
    for model, number in RESOURCES:
        resource = TABLES[model].get_export_resource_classes(None)[number]
        for column in resource().fields.values():
            names = (column.attribute or "").split("__")
            assert not {"token", "private_key", "password", "dkim_keys", "secret"} & set(names)
            owner: Any = model
            for name in names:
                field = owner._meta.get_field(name)
                assert not isinstance(field, EncryptedTextField)
                owner = field.related_model or owner


@pytest.mark.parametrize("model", TABLES)
def test_looking_is_not_taking_out_nor_bringing_in(model: type[Model], as_owner: Client):
    clerk = make_staff(login="clerk", is_superuser=False)
    name = model._meta.model_name
    clerk.user_permissions.set(Permission.objects.filter(codename=f"view_{name}"))

    page = _client(clerk).get(address(model))

    assert page.status_code == 200
    assert "/export/" not in page.content.decode()
    assert "/import/" not in page.content.decode()
    for path in ("export/", "import/", "process_import/"):
        assert _client(clerk).post(address(model) + path).status_code in (403, 404) or path not in str(
            TABLES[model].get_urls()
        )
        assert as_owner.post(address(model) + path).status_code == 302


@pytest.mark.parametrize("model", TABLES)
def test_the_right_to_change_takes_out(model: type[Model]):
    clerk = make_staff(login="clerk", is_superuser=False)
    name = model._meta.model_name
    clerk.user_permissions.set(Permission.objects.filter(codename__in=[f"view_{name}", f"change_{name}"]))

    page = _client(clerk).get(f"{address(model)}export/").content.decode()

    assert 'name="format"' in page
    assert "style=" not in page.partition("<main")[2] and "onchange" not in page


def test_a_filter_that_does_not_exist_is_left_out(as_operator: Client):
    answer = as_operator.get(f"{address(Domain)}export/?nonsense=1")

    assert (answer.status_code, answer["Location"]) == (302, f"{address(Domain)}export/")


def test_a_list_that_is_too_long_for_a_file_is_not_taken_out(
    as_operator: Client, acme: Tenant, monkeypatch: pytest.MonkeyPatch
):
    make_domain(acme), make_domain(acme)
    monkeypatch.setattr("email_service.domains.resources.DomainResource.most_rows_out", 1)

    answer = export(as_operator, Domain)

    assert "text/html" in answer["Content-Type"]
    assert "1" in str(next(iter(answer.context["messages"])))


def test_files_that_are_no_tables_are_refused_with_a_sentence(as_operator: Client):
    bomb = BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "x")
        archive.writestr("xl/workbook.xml", "0" * 60 * 2**20)

    for kind, content in (
        (XLSX, b"\x89PNG"), (XLSX, bomb.getvalue()), (CSV, b"\xff\xfe\x00"), (CSV, b""),
        (CSV, b"x" * (MOST_BYTES_IN + 1)),
    ):  # fmt: skip
        answer = preview(as_operator, Address, content, kind=kind)

        assert answer.status_code == 200
        assert answer.context["form"].errors["import_file"]
        assert "confirm_form" not in answer.context
        assert "Traceback" not in answer.content.decode()


def test_a_workbook_that_inflates_beyond_measure_is_not_opened():
    bomb = BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "x")
        archive.writestr("xl/workbook.xml", os.urandom(2**20) * 41)

    with pytest.raises(BadSpreadsheet):
        XlsxFile().create_dataset(bomb.getvalue())


def test_missing_columns_and_too_many_rows_are_named_without_a_trace(as_operator: Client):
    missing = preview(as_operator, Address, "account\nacme\n").content.decode()
    many = preview(as_operator, Address, "account,address\n" + "a,b@c.example\n" * 1001).content.decode()

    assert "address" in missing
    assert "1001" in many
    assert "Traceback" not in missing + many


@pytest.mark.parametrize("name", ["0" * 32, "../../etc/passwd", "koomessage.sqlite3"])
def test_a_confirmation_reads_no_other_file(name: str, as_operator: Client, settings: Any, tmp_path: Any):
    settings.DATA_DIR = tmp_path

    answer = as_operator.post(
        f"{address(Address)}process_import/",
        {"import_file_name": name, "original_file_name": "x", "format": CSV, "resource": "0"},
        follow=True,
    )

    assert answer.redirect_chain[-1][0] == f"{address(Address)}import/"


def test_pressing_confirm_twice_imports_once(as_operator: Client, acme: Tenant, settings: Any, tmp_path: Any):
    settings.DATA_DIR = tmp_path
    domain = make_domain(acme, verified=True)
    shown = preview(as_operator, Address, f"account,address\nacme,news@{domain.name}\n")

    confirm(as_operator, Address, shown)
    again = confirm(as_operator, Address, shown)

    assert again.redirect_chain[-1][0] == f"{address(Address)}import/"
    assert Address.objects.count() == 1
    assert list((tmp_path / "imports").iterdir()) == []


def test_files_that_nobody_confirmed_go_after_a_day(settings: Any, tmp_path: Any):
    settings.DATA_DIR = tmp_path
    first = UploadFolder(read_mode="rb")
    first.save(b"old")
    old = tmp_path / "imports" / first.name
    os.utime(old, (time.time() - KEPT_SECONDS - 5,) * 2)

    UploadFolder(read_mode="rb").save(b"new")

    assert not old.exists()
    assert len(list((tmp_path / "imports").iterdir())) == 1
