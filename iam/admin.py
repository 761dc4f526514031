"""The admin of accounts: staff look, and decide through services; nothing is written here."""

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from iam import services
from iam.models import AgreementAcceptance, AuditEntry, EnterpriseApplication, Policy, Tenant, User, UserGroup
from koomessage.common.errors import RuleViolation


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows to look at: what changes them is elsewhere."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Tenant)
class TenantAdmin(ReadOnlyAdmin):
    list_display = ("account", "name", "email", "verification", "activated_at", "pay_as_you_go", "created_at")
    list_filter = ("verification", "pay_as_you_go", ("activated_at", admin.EmptyFieldListFilter))
    search_fields = ("account", "name", "email")
    ordering = ("-created_at",)


class StaffCreationForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("login", "name", "email")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Whoever is made here works for the platform: people of accounts are made in their console.
        self.instance.is_staff = True

    def clean_login(self) -> str:
        login = self.cleaned_data["login"].strip().lower()
        if "/" in login or " " in login:
            raise forms.ValidationError(_("The login of staff holds no slash and no space."))
        return login


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    """Staff are managed here; the people of accounts are only shown."""

    add_form = StaffCreationForm
    list_display = ("login", "tenant", "email", "is_main", "is_staff", "is_active", "last_login")
    list_filter = ("is_staff", "is_superuser", "is_main", "is_active", "groups")
    list_select_related = ("tenant",)
    search_fields = ("login", "name", "email")
    ordering = ("login",)
    readonly_fields = ("last_login", "created_at")
    filter_horizontal = ("groups", "user_permissions")
    fieldsets = (
        (None, {"fields": ("login", "password", "name", "email")}),
        (
            _("Permissions"),
            {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")},
        ),
        (_("Dates"), {"fields": ("last_login", "created_at")}),
    )
    add_fieldsets = (
        (None, {"fields": ("login", "name", "email", "usable_password", "password1", "password2")}),
    )

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Superusers manage staff; a right to change users would else be a way to make oneself one."""
        return request.user.is_superuser and (obj is None or obj.tenant_id is None)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False


class RejectionForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=255,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60, "autofocus": True}),
    )


@admin.register(EnterpriseApplication)
class EnterpriseApplicationAdmin(ReadOnlyAdmin):
    """企业实名认证: an operator compares the licence and decides."""

    list_display = (
        "company_name", "tenant", "registration_number", "contact_name", "contact_phone", "status", "licence_link",
        "created_at", "decided_by",
    )  # fmt: skip
    list_filter = ("status", "created_at")
    list_select_related = ("tenant", "decided_by")
    search_fields = ("company_name", "registration_number", "tenant__account", "contact_name")
    ordering = ("-created_at",)
    exclude = ("licence",)
    readonly_fields = ("licence_link",)
    actions = ("approve", "reject")

    @admin.display(description=_("business licence"))
    def licence_link(self, row: EnterpriseApplication) -> SafeString:
        url = reverse("iam:licence_review", args=[row.pk])
        return format_html('<a href="{}" target="_blank" rel="noopener">{}</a>', url, _("View"))

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Deciding is changing, though no field of the row can be edited here."""
        return request.user.has_perm("iam.change_enterpriseapplication")

    @admin.action(description=_("Approve the selected applications"), permissions=["decide"])
    def approve(self, request: HttpRequest, rows: models.QuerySet[EnterpriseApplication]) -> None:
        for row in rows:
            try:
                services.approve_application(application=row, user=request.user)  # type: ignore[arg-type]
            except RuleViolation as refusal:
                messages.error(request, f"{row}: {refusal.message}")
            else:
                messages.success(request, _("%(company)s is verified.") % {"company": row})

    @admin.action(description=_("Reject the selected applications with a reason"), permissions=["decide"])
    def reject(
        self, request: HttpRequest, rows: models.QuerySet[EnterpriseApplication]
    ) -> HttpResponse | None:
        form = RejectionForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            context = {
                **self.admin_site.each_context(request),
                "title": _("Reject applications"),
                "rows": rows,
                "form": form,
            }
            context["opts"] = self.opts
            return TemplateResponse(request, "admin/iam/reject_applications.html", context)
        for row in rows:
            try:
                services.reject_application(application=row, user=request.user, **form.cleaned_data)  # type: ignore[arg-type]
            except RuleViolation as refusal:
                messages.error(request, f"{row}: {refusal.message}")
            else:
                messages.success(request, _("%(company)s has been rejected.") % {"company": row})
        return None


@admin.register(Policy)
class PolicyAdmin(ReadOnlyAdmin):
    """The system policies, which come with the program."""

    list_display = ("name", "description", "created_at")
    fields = ("name", "description", "document_text", "created_at")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Policy]:
        return Policy.objects.system()

    @admin.display(description=_("document"))
    def document_text(self, policy: Policy) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(policy.document, indent=2, ensure_ascii=False))


@admin.register(UserGroup)
class UserGroupAdmin(ReadOnlyAdmin):
    list_display = ("name", "tenant", "created_at")
    list_select_related = ("tenant",)
    search_fields = ("name", "tenant__account")


@admin.register(AgreementAcceptance)
class AgreementAcceptanceAdmin(ReadOnlyAdmin):
    list_display = ("tenant", "agreement", "version", "user", "ip_address", "accepted_at")
    list_filter = ("agreement", "version")
    list_select_related = ("tenant", "user")
    search_fields = ("tenant__account",)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "tenant", "login", "action", "target")
    list_filter = ("at",)
    list_select_related = ("tenant",)
    search_fields = ("login", "action", "target", "tenant__account")
    ordering = ("-at", "-pk")
    show_full_result_count = False
