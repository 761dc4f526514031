"""Tables of the admin as files, out and in: every cell is text, files are judged, and services decide about rows."""

import re
import time
import zipfile
from io import BytesIO
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import tablib
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from import_export import fields, resources, widgets
from import_export.formats import base_formats
from import_export.tmp_storages import BaseStorage

from koomessage.common.errors import RuleViolation
from koomessage.common.spreadsheets import (
    TOO_BIG_INSIDE,
    BadSpreadsheet,
    check_content,
    check_directory,
    rows,
)
from koomessage.common.workbooks import MAX_CELL, write_workbook

MOST_ROWS_OUT = 20_000
MOST_INFLATED = 40 * 2**20
KEPT_SECONDS = 24 * 3600
# What spreadsheets calculate; the full-width forms too, in some of their languages.
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠|%]|[\t\r\n]")
_NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.\d+)?")


def as_plain_cell(value: Any) -> str:
    """Return the value as a CSV cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def from_plain_cell(text: str) -> str:
    return text[1:] if text.startswith("'") and _FORMULA.match(text[1:]) else text


class CsvFile(base_formats.CSV):
    """RFC 4180, with an apostrophe before what a spreadsheet would calculate; it is taken off again on the way in."""

    def export_data(self, dataset: Any, **kwargs: Any) -> Any:
        safe = tablib.Dataset(headers=dataset.headers)
        safe.extend([[as_plain_cell(cell) for cell in row] for row in dataset])
        return super().export_data(safe, **kwargs)

    def create_dataset(self, in_stream: Any, **kwargs: Any) -> Any:
        read = super().create_dataset(in_stream, **kwargs)
        plain = tablib.Dataset(headers=read.headers)
        plain.extend([[from_plain_cell(cell) for cell in row] for row in read])
        return plain


class XlsxFile(base_formats.XLSX):
    """Cells are typed as text on the way out; on the way in the file is judged before it is opened."""

    def export_data(self, dataset: Any, **kwargs: Any) -> bytes:
        if any(len(str(cell)) > MAX_CELL for row in dataset for cell in row):
            raise ValueError(_("A text is too long for a cell of an .xlsx file. Choose CSV."))
        file = BytesIO()
        write_workbook(file, dataset.headers, dataset)
        return file.getvalue()

    def create_dataset(self, in_stream: Any) -> Any:
        file: IO[bytes] = BytesIO(in_stream)
        archive: zipfile.ZipFile = check_directory(file)
        if sum(entry.file_size for entry in archive.infolist()) > MOST_INFLATED:
            raise BadSpreadsheet(TOO_BIG_INSIDE)
        check_content(file)
        lines = [cells for _number, cells in rows(file) if any(cells)]
        dataset = tablib.Dataset(headers=lines[0] if lines else [])
        dataset.extend(lines[1:])
        return dataset


class UploadFolder(BaseStorage):
    """Where a file waits between its preview and the confirmation: our own folder, a day at most."""

    def save(self, data: bytes) -> None:
        folder = self._folder()
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            if old.stat().st_mtime < time.time() - KEPT_SECONDS:
                old.unlink(missing_ok=True)
        self.name = uuid4().hex
        self._path().write_bytes(data)

    def read(self) -> Any:
        data = self._path().read_bytes()
        return data if "b" in self.read_mode else data.decode(self.encoding or "utf-8-sig")

    def remove(self) -> None:
        self._path().unlink(missing_ok=True)

    def _folder(self) -> Path:
        return Path(settings.DATA_DIR) / "imports"

    def _path(self) -> Path:
        # The name comes back from a form: it names a file of this folder or none.
        if not re.fullmatch(r"[0-9a-f]{32}", self.name or ""):
            raise FileNotFoundError(self.name)
        return self._folder() / self.name


class Moment(widgets.Widget):
    """A moment as people read it everywhere: 2024-08-16 17:00:00 in the platform's zone."""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S") if value else ""


class PlainDiff(resources.Diff):
    """The preview of a row in plain text; the library's own carries styles that our pages forbid."""

    def as_html(self) -> list[str]:
        pairs = [(_short(before), _short(now)) for before, now in zip(self.left, self.right, strict=False)]
        return [now if self.new or before == now else f"{before} → {now}" for before, now in pairs]


class PlainResource(resources.ModelResource):
    """A table that goes out; a file that is too large for one answer is refused."""

    most_rows_out = MOST_ROWS_OUT

    @classmethod
    def get_diff_class(cls) -> type[PlainDiff]:
        return PlainDiff

    def before_export(self, queryset: Any, **kwargs: Any) -> None:
        if queryset is not None and queryset.count() > self.most_rows_out:
            sentence = _("A file holds at most %(most)s rows. Narrow the list by its filters or the search.")
            raise ValueError(sentence % {"most": self.most_rows_out})


class ServiceResource(PlainResource):
    """Rows that come in one by one through a service; its refusals are the errors of their rows."""

    required: tuple[str, ...] = ()
    most_rows_in = 1000

    def find(self, row: dict[str, Any]) -> models.Model | None:
        """Return the row that is there already, if any."""
        raise NotImplementedError

    def is_same(self, known: Any, row: dict[str, Any]) -> bool:
        """Say whether the file changes nothing about it."""
        raise NotImplementedError

    def store(self, known: Any, row: dict[str, Any], user: Any) -> models.Model:
        """Carry the row out by a service; RuleViolation, its field being a column, where it refuses."""
        raise NotImplementedError

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        missing = [name for name in self.required if name not in (dataset.headers or [])]
        if missing:
            raise RuleViolation(
                format_lazy(_("The file lacks these columns: {names}."), names=", ".join(missing))
            )
        if len(dataset) > self.most_rows_in:
            sentence = _("A file may hold {most} rows; this one holds {rows}. Split it.")
            raise RuleViolation(format_lazy(sentence, most=self.most_rows_in, rows=len(dataset)))

    def get_or_init_instance(self, instance_loader: Any, row: dict[str, Any]) -> tuple[Any, bool]:
        row.update(
            {name: "" if cell is None else str(cell).replace("\x00", "") for name, cell in row.items()}
        )
        row.update({name: row.get(name, "").strip() for name in self.fields if name != "body"})
        try:
            known = self.find(row)
        except RuleViolation as refusal:
            raise _as_row_error(refusal) from refusal
        return (known, False) if known is not None else (self._meta.model(), True)

    def import_instance(self, instance: Any, row: dict[str, Any], **kwargs: Any) -> None:
        """The service sets what there is to set."""

    def skip_row(
        self, instance: Any, original: Any, row: dict[str, Any], import_validation_errors: Any = None
    ) -> bool:
        return instance.pk is not None and self.is_same(instance, row)

    def save_instance(self, instance: Any, is_create: bool, row: dict[str, Any], **kwargs: Any) -> None:
        try:
            stored = self.store(None if is_create else instance, row, kwargs.get("user"))
        except RuleViolation as refusal:
            raise _as_row_error(refusal) from refusal
        instance.__dict__.update(stored.__dict__)


def moment(attribute: str) -> fields.Field:
    return fields.Field(attribute, attribute, widget=Moment(), readonly=True)


def column(attribute: str, name: str = "") -> fields.Field:
    return fields.Field(attribute, name or attribute)


def _as_row_error(refusal: RuleViolation) -> ValidationError:
    sentence = str(refusal.message)
    return ValidationError({refusal.field: [sentence]} if refusal.field else sentence)


def _short(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= 120 else f"{text[:119]}…"
