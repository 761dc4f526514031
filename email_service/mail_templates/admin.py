"""The public templates in the admin; every save goes through the services."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from email_service.mail_templates import services
from email_service.mail_templates.forms import MAX_TITLE, TemplateForm
from email_service.mail_templates.models import BodyType, Template
from email_service.mail_templates.rendering import tidy_body
from koomessage.common.errors import RuleViolation


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
