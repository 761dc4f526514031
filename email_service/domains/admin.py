"""Sending domains in the admin: to look at and to take out; accounts make and change them in the console."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from email_service.domains.models import Domain
from email_service.domains.resources import DomainResource
from iam.admin import ReadOnlyAdmin
from koomessage.common.exchange_admin import TableExport


@admin.register(Domain)
class DomainAdmin(TableExport, ReadOnlyAdmin):
    resource_classes = (DomainResource,)
    list_display = ("shown_name", "account", "status", "verified_at", "checked_at", "created_at")
    list_filter = ("status", ("verified_at", admin.EmptyFieldListFilter), "created_at")
    list_select_related = ("tenant",)
    search_fields = ("name", "display_name", "tenant__account", "tenant__name")
    ordering = ("-created_at", "-pk")
    show_full_result_count = False
    view_on_site = False  # the page is the account's own
    fields = ("shown_name", "account", "status", "verified_at", "checked_at", "created_at")
    readonly_fields = ("shown_name", "account")

    @admin.display(description=_("sending domain"), ordering="name")
    def shown_name(self, domain: Domain) -> str:
        """The name as people read it, and as DNS writes it where that differs."""
        is_same = domain.display_name == domain.name
        return domain.name if is_same else f"{domain.display_name} ({domain.name})"

    @admin.display(description=_("account"), ordering="tenant__account")
    def account(self, domain: Domain) -> str:
        return domain.tenant.account
