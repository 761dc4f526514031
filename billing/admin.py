"""The admin of billing: operators keep the catalogue; units and money move by services alone."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from billing import services
from billing.admin_accounts import AccountAdmin, MoneyEntryAdmin
from billing.admin_ledgers import LedgerAdmin, ServiceAdmin, ServiceForm
from billing.admin_orders import OrderAdmin, PaymentAdmin
from billing.models import BankAccount, Package, PackageSpec, PriceTier, UnitEntry
from billing.resources import PackageSpecResource, PriceTierResource
from koomessage.common.exchange_admin import TableExport, TableImport

# Registered where they are written.
__all__ = ["AccountAdmin", "MoneyEntryAdmin", "OrderAdmin", "PaymentAdmin"]


@admin.register(PackageSpec)
class PackageSpecAdmin(TableImport, TableExport, admin.ModelAdmin):
    resource_classes = [PackageSpecResource]
    list_display = (
        "name",
        "name_en",
        "units",
        "price",
        "currency",
        "valid_days",
        "most_per_account",
        "is_offered",
        "position",
    )
    list_filter = ("is_offered", "currency")
    search_fields = ("name", "name_en")


@admin.register(PriceTier)
class PriceTierAdmin(TableImport, TableExport, admin.ModelAdmin):
    """Tiers to come are added, changed and taken away; those in force have been charged."""

    resource_classes = [PriceTierResource]
    list_display = ("valid_from", "currency", "from_units", "price")
    list_filter = ("currency", "valid_from")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _is_to_come(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _is_to_come(obj)


def _is_to_come(tier: PriceTier | None) -> bool:
    return tier is None or not tier.is_in_force_at(timezone.now())


@admin.register(BankAccount)
class BankAccountAdmin(admin.ModelAdmin):
    list_display = ("bank", "holder", "number", "currency", "is_used")


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


@admin.register(UnitEntry)
class UnitEntryAdmin(LedgerAdmin):
    list_display = ("at", "tenant", "kind", "units", "package", "reference", "why", "login")
    list_select_related = ("tenant", "package")
    list_filter = ("kind", "at")
    search_fields = ("tenant__account", "reference")
    ordering = ("-at", "-pk")
