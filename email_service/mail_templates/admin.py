"""Templates in the admin, the public ones to be written; every save goes through the services."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from email_service.mail_templates import services
from email_service.mail_templates.forms import MAX_TITLE, TemplateForm
from email_service.mail_templates.models import BodyType, Template
from email_service.mail_templates.rendering import tidy_body
from email_service.mail_templates.resources import TemplateBodyResource, TemplateImport, TemplateResource
from koomessage.common.errors import RuleViolation
from koomessage.common.exchange_admin import TableExport, TableImport


class PublicTemplateForm(forms.ModelForm):
    """A public template's fields, which its next version will hold."""

    title = forms.CharField(label=gettext_lazy("Template title"), max_length=MAX_TITLE)
    body_type = forms.ChoiceField(label=gettext_lazy("Body type"), choices=BodyType.choices)
    body = forms.CharField(
        label=gettext_lazy("Mail body"), strip=False, widget=forms.Textarea(attrs={"rows": 30, "cols": 110})
    )
    can_unsubscribe = forms.BooleanField(label=gettext_lazy("Support unsubscribing"), required=False)

    class Meta:
        model = Template
        fields = ("title", "body_type")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.update(TemplateForm.initial_of(self.instance.version))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("body"):
            try:
                tidy_body(body_type=cleaned.get("body_type", ""), body=cleaned["body"])
            except RuleViolation as refusal:
                self.add_error(refusal.field, refusal.message)
        return cleaned


class WithoutBodies(ChangeList):
    """A page of the list needs no bodies, which may be 256 KB each."""

    def get_results(self, request: HttpRequest) -> None:
        self.queryset = self.queryset.defer("version__body")
        super().get_results(request)


class OwnerFilter(admin.SimpleListFilter):
    """Public templates are what this table is kept for; those of accounts are there to be looked at and taken out."""

    title = gettext_lazy("owner")
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("public", gettext_lazy("Public")),
            ("accounts", gettext_lazy("Accounts")),
            ("all", gettext_lazy("All")),
        ]

    def choices(self, changelist: Any) -> Any:
        for value, label in self.lookup_choices:
            query = changelist.get_query_string({self.parameter_name: value})
            yield {"selected": (self.value() or "public") == value, "query_string": query, "display": label}

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if self.value() in ("accounts", "all"):
            return queryset if self.value() == "all" else queryset.exclude(tenant=None)
        return queryset.filter(tenant=None)


@admin.register(Template)
class TemplateAdmin(TableImport, TableExport, admin.ModelAdmin):
    """公共模板 are written here; a template of an account leads to the review of its current version."""

    form = PublicTemplateForm
    resource_classes = (TemplateResource, TemplateBodyResource)
    import_resource_classes = (TemplateImport,)
    import_help = gettext_lazy(
        "One template a row; an empty account means a public template. Without a template ID a new template is made, "
        "with one a new version; what is the same is passed over. Bodies are sanitised and reviewed like any other."
    )
    fields = ("title", "body_type", "body", "can_unsubscribe")
    list_display = ("title", "code", "account", "body_type", "status", "created_at")
    list_filter = (OwnerFilter, "status", "body_type")
    list_select_related = ("tenant", "version")
    search_fields = ("title", "code", "tenant__account")
    ordering = ("code",)
    show_full_result_count = False
    view_on_site = False
    actions = None

    @admin.display(description=gettext_lazy("Mail body"))
    def body(self, template: Template) -> str:
        """For those who may only look."""
        return template.version.body if template.version else ""

    @admin.display(description=gettext_lazy("Support unsubscribing"), boolean=True)
    def can_unsubscribe(self, template: Template) -> bool:
        return template.version is not None and template.version.can_unsubscribe

    @admin.display(description=gettext_lazy("account"), ordering="tenant__account")
    def account(self, template: Template) -> str:
        return str(template.tenant or "—")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return Template.objects.filter(is_deleted=False).select_related("tenant", "version")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return WithoutBodies

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (obj is None or obj.tenant_id is None) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (obj is None or obj.tenant_id is None) and super().has_delete_permission(request, obj)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        template = self.get_object(request, object_id)
        if template is not None and template.tenant_id and self.has_view_permission(request, template):
            return redirect("admin:email_service_templateversion_change", template.version_id)
        return super().change_view(request, object_id, form_url, extra_context)

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        """Store by the service, and hand Django the stored row."""
        saved = services.save_public_template(
            user=request.user,  # type: ignore[arg-type]
            template=form.instance if change else None,
            **{name: form.cleaned_data[name] for name in self.fields},
        )
        if saved.removed:
            parts = ", ".join(saved.removed[:12])
            messages.warning(request, _("Not allowed in a mail and left out: %(parts)s.") % {"parts": parts})
        form.save_m2m = lambda: None
        return saved.template

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing is left to store: save_form did."""

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Deleting only hides the template, so that nothing which hangs on it is deleted or asked about."""
        return [str(row) for row in objs], {}, set(), []

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        services.delete_template(obj, user=request.user)  # type: ignore[arg-type]
