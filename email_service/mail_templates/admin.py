"""The reviewers' queue, and the public templates; every decision and every save goes through the services."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from email_service.mail_templates import services
from email_service.mail_templates.forms import MAX_TITLE, RejectionForm, TemplateForm
from email_service.mail_templates.models import BodyType, Template, TemplateVersion
from email_service.mail_templates.rendering import tidy_body
from email_service.mail_templates.views_frame import show_version
from koomessage.common.errors import RuleViolation


class QueueFilter(admin.SimpleListFilter):
    title = gettext_lazy("review status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*Template.Status.choices, ("all", gettext_lazy("All"))]

    def choices(self, changelist: Any) -> Any:
        for value, label in self.lookup_choices:
            shown = self.value() or Template.Status.PENDING
            query = changelist.get_query_string({self.parameter_name: value})
            yield {"selected": shown == value, "query_string": query, "display": label}

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        status = self.value() or Template.Status.PENDING
        if status == Template.Status.PENDING:
            return queryset.awaiting_review()  # type: ignore[attr-defined]
        return queryset if status == "all" else queryset.filter(status=status)


@admin.register(TemplateVersion)
class TemplateVersionAdmin(admin.ModelAdmin):
    """The queue: what waits longest stands first; the page of one version shows the mail beside the decision."""

    list_display = (
        "title",
        "code",
        "account",
        "body_type",
        "can_unsubscribe",
        "status",
        "created_at",
        "decided_by",
    )
    list_filter = (QueueFilter, "body_type")
    list_select_related = ("template__tenant", "decided_by")
    search_fields = ("title", "template__code", "template__tenant__account")
    change_form_template = "email_service/mail_templates/review.html"
    actions = None

    @admin.display(description=gettext_lazy("template ID"))
    def code(self, version: TemplateVersion) -> str:
        return version.template.code

    @admin.display(description=gettext_lazy("account"))
    def account(self, version: TemplateVersion) -> str:
        return str(version.template.tenant or "")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).filter(template__tenant__isnull=False)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        name = "email_service_templateversion"
        return [
            path("<int:pk>/frame/", wrap(self.frame_view), name=f"{name}_frame"),
            path("<int:pk>/decide/", wrap(self.decide_view), name=f"{name}_decide"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the mail, who wrote it, and the decision; a POST here changes nothing."""
        version = self.get_object(request, object_id)
        if version is None or not self.has_view_permission(request, version):
            return super().change_view(request, object_id, form_url, extra_context)
        return self._page(request, version, RejectionForm())

    def _page(
        self, request: HttpRequest, version: Any, form: RejectionForm, status: int = 200
    ) -> HttpResponse:
        is_open = version.status == Template.Status.PENDING and version.template.version_id == version.pk
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(version),
            "version": version,
            "form": form,
            "can_decide": is_open and self.has_change_permission(request, version),
            "frame_url": reverse("admin:email_service_templateversion_frame", args=[version.pk]),
        }
        return TemplateResponse(request, str(self.change_form_template), context, status=status)

    def frame_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        version = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_view_permission(request, version):
            raise PermissionDenied
        return show_version(request, version)

    def decide_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Approve, or reject with a reason; what the services refuse is shown and nothing is lost."""
        version = get_object_or_404(self.get_queryset(request), pk=pk)
        if request.method != "POST" or not self.has_change_permission(request, version):
            raise PermissionDenied
        form = RejectionForm(request.POST)
        form.is_valid()
        try:
            if request.POST.get("decision") == "approve":
                services.approve_version(version, by=request.user)  # type: ignore[arg-type]
            else:
                services.reject_version(version, by=request.user, reason=form.cleaned_data.get("reason", ""))  # type: ignore[arg-type]
        except RuleViolation as refusal:
            form.add_error(refusal.field, refusal.message)
            return self._page(request, version, form, status=422)
        messages.success(request, _("The decision about %(title)s was recorded.") % {"title": version.title})
        return redirect("admin:email_service_templateversion_changelist")


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


@admin.register(Template)
class TemplateAdmin(admin.ModelAdmin):
    """公共模板: what every account may copy and send."""

    form = PublicTemplateForm
    fields = ("title", "body_type", "body", "can_unsubscribe")
    list_display = ("title", "code", "body_type", "created_at")
    search_fields = ("title", "code")
    ordering = ("code",)
    actions = None

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return Template.objects.public().select_related("version")

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
