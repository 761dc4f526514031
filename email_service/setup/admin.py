"""Where operators configure each account's Email service, and the transports."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from email_service.setup.forms import (
    DestinationLimitForm,
    DirectForm,
    EmailServiceForm,
    RelayForm,
    SenderLimitForm,
)
from email_service.setup.models import DestinationLimit, EmailService, SenderLimit, Transport
from email_service.setup.uses import with_use


def _kind(request: HttpRequest, transport: Transport | None) -> str:
    if transport is not None:
        return transport.kind
    return request.POST.get("kind") or request.GET.get("kind") or Transport.Kind.RELAY


def _query_with(request: HttpRequest, kind: str) -> str:
    """Keep the rest of the query: the page may be a pop-up of another one."""
    query = request.GET.copy()
    query["kind"] = kind
    return query.urlencode()


@admin.register(Transport)
class TransportAdmin(admin.ModelAdmin):
    list_display = ("name", "kind", "host", "port", "security", "connections")
    list_filter = ("kind",)
    search_fields = ("name", "host")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Show only what applies to the kind: the row's own, or the one asked for."""
        form = DirectForm if _kind(request, obj) == Transport.Kind.DIRECT else RelayForm
        return super().get_form(request, obj, change, **{**kwargs, "form": form})

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        is_direct = _kind(request, obj) == Transport.Kind.DIRECT
        return tuple((DirectForm if is_direct else RelayForm).Meta.fields)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A transport keeps its kind: accounts move to another one instead."""
        return ("kind",) if obj else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"kind": _kind(request, None)}

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_choice_field(db_field, request, **kwargs)
        if db_field.name == "kind" and field is not None:
            kinds = (
                (Transport.Kind.RELAY, _("Fields of a relay")),
                (Transport.Kind.DIRECT, _("Fields of direct delivery")),
            )
            field.help_text = format_html_join(
                " · ", '<a href="?{}">{}</a>', ((_query_with(request, kind), words) for kind, words in kinds)
            )
        return field


@admin.register(EmailService)
class EmailServiceAdmin(admin.ModelAdmin):
    form = EmailServiceForm
    list_display = (
        "tenant",
        "company",
        "sensitive",
        "transport",
        "in_doubt",
        "messages_per_second",
        "paused",
    )
    list_filter = ("sensitive", "paused", "transport")
    list_select_related = ("tenant", "transport")
    search_fields = ("tenant__account", "tenant__name")
    autocomplete_fields = ("tenant",)

    @admin.display(description=_("company name"), ordering="tenant__name")
    def company(self, service: EmailService) -> str:
        return service.tenant.name

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A configuration stays with the account it was made for."""
        return ("tenant",) if obj else ()


@admin.register(SenderLimit)
class SenderLimitAdmin(admin.ModelAdmin):
    form = SenderLimitForm
    list_display = (
        "domain",
        "account",
        "messages_per_second",
        "ceiling",
        "used",
        "warmup_from",
        "warmup_until",
    )
    list_select_related = ("tenant",)
    search_fields = ("domain", "tenant__account", "tenant__name")
    autocomplete_fields = ("tenant",)
    ordering = ("domain", "tenant")
    fieldsets = (
        (None, {"fields": ("tenant", "domain", "messages_per_second")}),
        (
            _("Warm-up"),
            {
                "fields": ("warmup_first", "warmup_growth", "warmup_from", "warmup_until", "warmup_most"),
                "description": _(
                    "A new sending domain earns trust by sending little at first and more every day. What is "
                    "over the day's ceiling waits for the next day; other mail is not held up by it."
                ),
            },
        ),
    )

    @admin.display(description=_("account"), ordering="tenant__account")
    def account(self, limit: SenderLimit) -> str:
        return limit.tenant.account

    @admin.display(description=_("ceiling today"), empty_value="—")
    def ceiling(self, limit: SenderLimit) -> int | None:
        return limit.ceiling_today

    @admin.display(description=_("used today"))
    def used(self, limit: SenderLimit) -> int:
        return limit.used or 0  # type: ignore[attr-defined]

    def get_queryset(self, request: HttpRequest) -> QuerySet[SenderLimit]:
        return with_use(super().get_queryset(request))


@admin.register(DestinationLimit)
class DestinationLimitAdmin(admin.ModelAdmin):
    form = DestinationLimitForm
    list_display = ("domain", "messages_per_second")
    search_fields = ("domain",)
    ordering = ("domain",)
