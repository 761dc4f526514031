"""An account's money in the admin: everything of it on one page, balances changed with a reason and its proof."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy as _

from billing import freezing, revenue, services_accounts, services_money
from billing.admin_ledgers import LedgerAdmin, ServiceAdmin, ServiceForm
from billing.ledger import MOST_MONEY
from billing.models import Account, MoneyAttachment, MoneyEntry, Order, Package
from billing.prices import PLACES
from koomessage.common import uploads
from koomessage.common.errors import RuleViolation

LATEST = 10


class CreditForm(forms.ModelForm):
    credit_limit = forms.DecimalField(
        label=_("Credit limit"),
        min_value=0,
        max_value=MOST_MONEY,
        decimal_places=PLACES,
        help_text=_("So much the account may owe before it is in arrears."),
    )

    class Meta:
        model = Account
        fields = ("credit_limit",)


@admin.register(Account)
class AccountAdmin(LedgerAdmin):
    """Sums to look at; the credit limit alone is set here, by its service."""

    form = CreditForm
    fields = ("tenant", "balance", "currency", "credit_limit", "arrears_since", "usage_settled_until")
    readonly_fields = ("tenant", "balance", "currency", "arrears_since", "usage_settled_until")
    list_display = (
        "tenant", "balance", "currency", "credit_limit", "arrears_since", "payg_reserved", "payg_consumed",
    )  # fmt: skip
    list_select_related = ("tenant",)
    search_fields = ("tenant__account", "tenant__name")
    ordering = ("tenant__account",)
    change_form_template = "admin/billing/account.html"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_change_permission(self, request, obj)

    def save_model(self, request: HttpRequest, obj: Account, form: Any, change: bool) -> None:
        services_money.set_credit_limit(tenant=obj.tenant, user=request.user, **form.cleaned_data)  # type: ignore[arg-type]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/freeze/", view(self.freeze), name="billing_account_freeze"),
            path("<int:pk>/thaw/", view(self.thaw), name="billing_account_thaw"),
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        account = Account.objects.select_related("tenant").filter(pk=object_id).first()
        if account is None:
            raise Http404
        tenant = account.tenant
        context = {
            "account": account,
            "frozen": freezing.reason_of(tenant),
            "may_freeze": request.user.has_perm("billing.freeze_account"),
            "packages": [
                (row, row.state_at(timezone.now()))
                for row in Package.objects.for_tenant(tenant).order_by("-expires_at", "-pk")[:LATEST]
            ],
            "orders": Order.objects.for_tenant(tenant).order_by("-created_at", "-pk")[:LATEST],
            "movements": MoneyEntry.objects.for_tenant(tenant)
            .select_related("order")
            .order_by("-at", "-pk")[:LATEST],
        }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    def freeze(self, request: HttpRequest, pk: int) -> HttpResponse:
        account = self._judged(request, pk)
        return self._decide(
            request,
            account,
            services_accounts.freeze_account,
            _("The account is frozen: nothing of it is sent."),
            reason=request.POST.get("reason", ""),
        )

    def thaw(self, request: HttpRequest, pk: int) -> HttpResponse:
        account = self._judged(request, pk)
        return self._decide(
            request, account, services_accounts.thaw_account, _("The account goes on sending.")
        )

    def _judged(self, request: HttpRequest, pk: int) -> Account:
        if request.method != "POST" or not request.user.has_perm("billing.freeze_account"):
            raise PermissionDenied
        return get_object_or_404(Account.objects.select_related("tenant"), pk=pk)

    def _decide(
        self, request: HttpRequest, account: Account, decide: Any, done: Any, **words: str
    ) -> HttpResponse:
        try:
            decide(tenant=account.tenant, user=request.user, **words)
        except RuleViolation as refusal:
            messages.error(request, str(refusal.message))
        else:
            messages.success(request, done)
        return redirect("admin:billing_account_change", account.pk)


class BalanceForm(ServiceForm):
    attachment = forms.FileField(
        label=_("attachment"),
        required=False,
        help_text=_("JPG, PNG or PDF, up to 5 MB: the contract, the statement, the letter."),
    )

    class Meta:
        model = MoneyEntry
        fields = ("tenant", "amount", "reason")
        help_texts = {"amount": _("Positive to credit the balance, negative to correct it downwards.")}

    def carry_out(self, request: HttpRequest) -> MoneyEntry:
        return services_money.change_balance(user=request.user, **self.cleaned_data)  # type: ignore[arg-type]


@admin.register(MoneyEntry)
class MoneyEntryAdmin(ServiceAdmin):
    form = BalanceForm
    list_display = ("at", "tenant", "kind", "amount", "currency", "order", "reason", "login", "paper")
    list_select_related = ("tenant", "order", "attachment")
    list_filter = ("kind", "at")
    search_fields = ("tenant__account", "order__number", "reason")
    ordering = ("-at", "-pk")
    autocomplete_fields = ("tenant",)
    change_list_template = "admin/billing/money_list.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/attachment/", view(self.attachment), name="billing_moneyentry_attachment"),
            path("by-month/", view(self.by_month), name="billing_moneyentry_by_month"),
        ]
        return [*own, *super().get_urls()]

    @admin.display(description=_("attachment"))
    def paper(self, entry: MoneyEntry) -> str:
        paper = getattr(entry, "attachment", None)
        if paper is None:
            return "—"
        address = reverse("admin:billing_moneyentry_attachment", args=[entry.pk])
        return format_html('<a href="{}">{}</a>', address, paper.name)

    def attachment(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Hand the file out, never to be opened as a page of ours."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        paper = get_object_or_404(MoneyAttachment, entry=pk)
        try:
            content = uploads.read(paper.file)
        except FileNotFoundError:
            raise Http404 from None
        answer = HttpResponse(content, content_type=paper.get_kind_display())
        answer["Content-Disposition"] = content_disposition_header(True, paper.name)
        return answer

    def by_month(self, request: HttpRequest) -> HttpResponse:
        """Revenue and usage by month; `?format=csv` is the same as a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        months, titles = revenue.by_month(), revenue.titles()
        if request.GET.get("format") == "csv":
            answer = HttpResponse(revenue.as_csv(months, titles), content_type="text/csv; charset=utf-8")
            answer["Content-Disposition"] = content_disposition_header(True, "revenue.csv")
            return answer
        context = {
            **self.admin_site.each_context(request),
            "title": _("Revenue and usage by month"),
            "months": months,
            "titles": titles,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/billing/by_month.html", context)
