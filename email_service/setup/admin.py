"""Where operators configure each account's Email service, and the transports."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from email_service.setup.forms import EmailServiceForm, TransportForm
from email_service.setup.models import EmailService, Transport


@admin.register(Transport)
class TransportAdmin(admin.ModelAdmin):
    form = TransportForm
    list_display = ("name", "kind", "host", "port", "security", "connections")
    search_fields = ("name", "host")


@admin.register(EmailService)
class EmailServiceAdmin(admin.ModelAdmin):
    form = EmailServiceForm
    list_display = ("tenant", "company", "sensitive", "transport", "in_doubt", "paused")
    list_filter = ("sensitive", "paused", "transport")
    list_select_related = ("tenant", "transport")
    search_fields = ("tenant__account", "tenant__name")
    autocomplete_fields = ("tenant",)

    @admin.display(ordering="tenant__name")
    def company(self, service: EmailService) -> str:
        return service.tenant.name

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A configuration stays with the account it was made for."""
        return ("tenant",) if obj else ()
