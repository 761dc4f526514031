"""Sender addresses in the admin: to look at, to take out, and to bring in by a file that the service judges."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from email_service.addresses.models import Address
from email_service.addresses.resources import AddressImport, AddressResource
from iam.admin import ReadOnlyAdmin
from koomessage.common.exchange_admin import TableExport, TableImport


@admin.register(Address)
class AddressAdmin(TableImport, TableExport, ReadOnlyAdmin):
    resource_classes = (AddressResource,)
    import_resource_classes = (AddressImport,)
    import_help = _(
        "One address a row. The account must have the domain, and it must be verified. "
        "Addresses that are there already are passed over."
    )
    list_display = ("address", "alias", "account", "domain_status", "created_at")
    list_filter = ("domain__status", "created_at")
    list_select_related = ("tenant", "domain")
    search_fields = ("address", "alias", "tenant__account", "tenant__name")
    ordering = ("-created_at", "-pk")
    show_full_result_count = False
    fields = ("address", "alias", "account", "domain_status", "created_at")
    readonly_fields = ("account", "domain_status")

    @admin.display(description=_("account"), ordering="tenant__account")
    def account(self, address: Address) -> str:
        return address.tenant.account

    @admin.display(description=_("state of the domain"), ordering="domain__status")
    def domain_status(self, address: Address) -> str:
        return str(address.domain.get_status_display())
