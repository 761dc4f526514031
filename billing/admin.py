"""The admin of billing: operators keep the catalogue; units and money move by services alone."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from billing import services, services_money, services_orders
from billing.models import Account, BankAccount, MoneyEntry, Order, Package, PackageSpec, UnitEntry
from billing.resources import PackageSpecResource
from koomessage.common.errors import RuleViolation
from koomessage.common.exchange_admin import TableExport, TableImport


class LedgerAdmin(admin.ModelAdmin):
    """Rows to look at; what may be added is added by a service, nothing is changed or deleted."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ServiceForm(forms.ModelForm):
    """A form whose row is made by a service; `refusal` is what the service said to it."""

    refusal: RuleViolation | None = None

    def carry_out(self, request: HttpRequest) -> models.Model:
        raise NotImplementedError

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.refusal:
            self.add_error(self.refusal.field, str(self.refusal.message))
        return cleaned


class ServiceAdmin(LedgerAdmin):
    """Adds by the service its form names; a refused form comes back with what was typed."""

    form: type[ServiceForm]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.refusal = getattr(request, "refusal", None)
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.pk = form.carry_out(request).pk
        obj.refresh_from_db()

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        try:
            return super().add_view(request, form_url, extra_context)
        except RuleViolation as refusal:
            request.refusal = refusal  # type: ignore[attr-defined]
            return super().add_view(request, form_url, extra_context)


@admin.register(PackageSpec)
class PackageSpecAdmin(TableImport, TableExport, admin.ModelAdmin):
    resource_classes = [PackageSpecResource]
    list_display = ("name", "name_en", "units", "price", "currency", "valid_days", "is_offered", "position")
    list_filter = ("is_offered", "currency")
    search_fields = ("name", "name_en")


@admin.register(BankAccount)
class BankAccountAdmin(admin.ModelAdmin):
    list_display = ("bank", "holder", "number", "currency", "is_used")


@admin.register(Account)
class AccountAdmin(LedgerAdmin):
    list_display = ("tenant", "balance", "currency", "payg_reserved", "payg_consumed")
    list_select_related = ("tenant",)
    search_fields = ("tenant__account", "tenant__name")
    ordering = ("tenant__account",)


class PackageGrantForm(ServiceForm):
    reason = forms.CharField(label=_("Reason"), max_length=255)

    class Meta:
        model = Package
        fields = ("tenant", "name", "total", "expires_at")

    def carry_out(self, request: HttpRequest) -> Package:
        given = self.cleaned_data
        return services.grant_package(
            tenant=given["tenant"],
            name=given["name"],
            units=given["total"],
            valid_until=given["expires_at"],
            granted_by=request.user,  # type: ignore[arg-type]
            reason=given["reason"],
        )


@admin.register(Package)
class PackageAdmin(ServiceAdmin):
    form = PackageGrantForm
    list_display = ("name", "tenant", "total", "consumed", "reserved", "expires_at", "order")
    list_select_related = ("tenant", "order")
    list_filter = ("expires_at",)
    search_fields = ("name", "tenant__account", "order__number")
    ordering = ("-created_at", "-pk")
    autocomplete_fields = ("tenant",)


class BalanceForm(ServiceForm):
    class Meta:
        model = MoneyEntry
        fields = ("tenant", "amount", "reason")
        help_texts = {"amount": _("Positive to credit the balance, negative to correct it downwards.")}

    def carry_out(self, request: HttpRequest) -> MoneyEntry:
        return services_money.change_balance(user=request.user, **self.cleaned_data)  # type: ignore[arg-type]


@admin.register(MoneyEntry)
class MoneyEntryAdmin(ServiceAdmin):
    form = BalanceForm
    list_display = ("at", "tenant", "kind", "amount", "currency", "order", "reason", "login")
    list_select_related = ("tenant", "order")
    list_filter = ("kind", "at")
    search_fields = ("tenant__account", "order__number", "reason")
    ordering = ("-at", "-pk")
    autocomplete_fields = ("tenant",)


@admin.register(UnitEntry)
class UnitEntryAdmin(LedgerAdmin):
    list_display = ("at", "tenant", "kind", "units", "package", "reference", "why", "login")
    list_select_related = ("tenant", "package")
    list_filter = ("kind", "at")
    search_fields = ("tenant__account", "reference")
    ordering = ("-at", "-pk")


class ReceiptForm(forms.Form):
    bank_reference = forms.CharField(
        label=_("Number of the bank statement"),
        max_length=255,
        widget=forms.TextInput(attrs={"size": 40, "autofocus": True}),
    )


@admin.register(Order)
class OrderAdmin(LedgerAdmin):
    list_display = (
        "number",
        "tenant",
        "name",
        "quantity",
        "amount",
        "currency",
        "status",
        "method",
        "created_at",
    )
    list_select_related = ("tenant",)
    list_filter = ("status", "method", "created_at")
    search_fields = ("number", "tenant__account", "tenant__name")
    ordering = ("-created_at", "-pk")
    exclude = ("token",)
    actions = ("confirm_transfer",)

    @admin.display(description=_("amount"))
    def amount(self, order: Order) -> str:
        return str(order.amount)

    def has_confirm_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("billing.confirm_transfer")

    @admin.action(description=_("Confirm that the bank transfer arrived"), permissions=["confirm"])
    def confirm_transfer(self, request: HttpRequest, rows: models.QuerySet[Order]) -> HttpResponse | None:
        form = ReceiptForm(request.POST if "bank_reference" in request.POST else None)
        if not form.is_valid():
            context = {
                **self.admin_site.each_context(request),
                "title": _("Confirm bank transfers"),
                "rows": rows,
                "form": form,
                "opts": self.opts,
            }
            return TemplateResponse(request, "admin/billing/confirm_transfer.html", context)
        for order in rows:
            try:
                services_orders.confirm_transfer(order=order, user=request.user, **form.cleaned_data)  # type: ignore[arg-type]
            except RuleViolation as refusal:
                messages.error(request, str(refusal.message))
            else:
                messages.success(request, _("Order %(number)s is paid.") % {"number": order.number})
        return None
