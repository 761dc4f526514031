"""Pages of the admin by which tables go out and come in; who may is a right of the table."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.forms import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from import_export.admin import ExportMixin, ImportMixin
from import_export.forms import ImportForm, SelectableFieldsExportForm

from koomessage.common.exchange import CsvFile, UploadFolder, XlsxFile
from koomessage.common.spreadsheets import BadSpreadsheet

MOST_BYTES_IN = 2**20


class NamedColumnsForm(SelectableFieldsExportForm):
    """Columns are offered by the names they have on screen."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["resource"].label = _("Contents")

    def _get_field_label(self, resource: Any, field_name: str) -> str:
        known = {field.name: field for field in resource._meta.model._meta.get_fields()}
        field = known.get((resource.fields[field_name].attribute or "").partition("__")[0])
        if field is not None and field.is_relation:
            return f"{field.related_model._meta.verbose_name} ({field_name})"
        return f"{field.verbose_name} ({field_name})" if field is not None else field_name


class SmallFileForm(ImportForm):
    def clean_import_file(self) -> Any:
        file = self.cleaned_data["import_file"]
        if file.size > MOST_BYTES_IN:
            raise ValidationError(
                _("The file is larger than %(most)s. Split it.") % {"most": filesizeformat(MOST_BYTES_IN)}
            )
        return file


class TableExport(ExportMixin):
    """Goes before ModelAdmin: whoever may change the table may take it out, as CSV or xlsx."""

    formats = (CsvFile, XlsxFile)
    to_encoding = "utf-8-sig"  # spreadsheets take CSV without a mark for something else
    export_form_class = NamedColumnsForm

    def has_export_permission(self, request: HttpRequest) -> bool:
        opts = self.model._meta
        return bool(request.user.has_perm(f"{opts.app_label}.change_{opts.model_name}"))

    def export_action(self, request: HttpRequest) -> HttpResponse:
        """Filters come in the address, where anything can stand; the library fails on what the list itself forgives."""
        try:
            return super().export_action(request)
        except IncorrectLookupParameters:
            return redirect(request.path)


class TableImport(ImportMixin):
    """Goes before TableExport: whoever may add and change rows may bring in a file of them; all of it, or nothing."""

    formats = (CsvFile, XlsxFile)
    tmp_storage_class = UploadFolder
    import_form_class = SmallFileForm
    import_export_change_list_template = "admin/import_export/change_list_import_export.html"
    import_resource_classes: tuple[type, ...] = ()
    import_help: Any = ""

    def get_import_resource_classes(self, request: HttpRequest) -> Any:
        return self.import_resource_classes or super().get_import_resource_classes(request)

    def has_import_permission(self, request: HttpRequest) -> bool:
        opts = self.model._meta
        return bool(
            request.user.has_perms(
                [f"{opts.app_label}.{word}_{opts.model_name}" for word in ("add", "change")]
            )
        )

    def get_import_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_import_context_data(**kwargs), "import_help": self.import_help}

    def add_data_read_fail_error_to_form(self, form: Any, e: Exception) -> None:
        if isinstance(e, BadSpreadsheet):
            form.add_error("import_file", e.message)
        else:
            form.add_error(
                "import_file",
                _(
                    "The file could not be read. Save it as .xlsx, or as CSV in UTF-8, and choose that format."
                ),
            )

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Carry out what was previewed; a file that is gone meanwhile is asked for again."""
        try:
            return super().process_import(request, **kwargs)
        except (OSError, ValueError, IndexError, BadSpreadsheet):
            messages.error(request, _("The uploaded file is no longer there. Upload it again."))
            return self._ask_again(request)

    def process_dataset(self, dataset: Any, form: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().process_dataset(
            dataset, form, request, **{"rollback_on_validation_errors": True, **kwargs}
        )

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponse:
        """Between preview and confirmation others may have changed what the rows rest on."""
        if result.has_errors() or result.has_validation_errors():
            messages.error(
                request,
                _("Nothing was imported: something changed since the preview. Upload the file again."),
            )
            return self._ask_again(request)
        return super().process_result(result, request)

    def _ask_again(self, request: HttpRequest) -> HttpResponse:
        app_label, model_name = self.get_model_info()
        return redirect(f"admin:{app_label}_{model_name}_import")
