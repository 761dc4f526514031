"""Take tables of the admin out, and bring files in, as people do on its pages."""

from io import BytesIO
from typing import Any

import openpyxl
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model
from django.test import Client

CSV, XLSX = "0", "1"


def export(client: Client, model: type[Model], *, kind: str = CSV, resource: int = 0, query: str = "") -> Any:
    """Post the page of the export with every column of the resource ticked."""
    found = admin.site._registry[model].get_export_resource_classes(None)[resource]  # type: ignore[attr-defined]
    columns = {f"{found.__name__.lower()}_{name}": "on" for name in found().get_export_order()}
    return client.post(
        f"{address(model)}export/{query}", {"format": kind, "resource": str(resource), **columns}
    )


def cells(answer: Any) -> list[list[Any]]:
    """The rows of an exported workbook, the headings first."""
    sheet = openpyxl.load_workbook(BytesIO(answer.content)).active
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def preview(client: Client, model: type[Model], content: str | bytes, *, kind: str = CSV) -> Any:
    data = content.encode() if isinstance(content, str) else content
    file = SimpleUploadedFile("rows", data)
    return client.post(f"{address(model)}import/", {"format": kind, "resource": "0", "import_file": file})


def confirm(client: Client, model: type[Model], shown: Any, **changes: str) -> Any:
    """Press the button under a preview."""
    fields = {**shown.context["confirm_form"].initial, **changes}
    return client.post(f"{address(model)}process_import/", fields, follow=True)


def address(model: type[Model]) -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
