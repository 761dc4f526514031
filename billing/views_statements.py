"""余额, 用量, 账单: where the money and the mails went."""

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from billing import exports, queries, services_money
from billing.bills import bills_of
from billing.filters import MoneyFilter
from billing.forms import AlertForm, UsageForm
from billing.models import MoneyEntry
from billing.usage import usage_of
from koomessage.common.errors import RuleViolation
from koomessage.common.htmx import render_page
from koomessage.common.paging import paginate
from koomessage.common.permissions import requires
from koomessage.common.requests import ConsoleRequest


@require_GET
@requires("billing.list_order")
def balance(request: ConsoleRequest) -> HttpResponse:
    filter_form = MoneyFilter(request.GET)
    rows = filter_form.narrow(MoneyEntry.objects.for_tenant(request.tenant).select_related("order"))
    account = queries.account_of(request.tenant)
    context = {
        "page": paginate(request, rows, sorts={"time": "at"}, default="-time"),
        "filter": filter_form,
        "account": account,
        "is_suspended": account.is_suspended_at(timezone.now()),
        "bank_account": queries.bank_account(account.currency),
    }
    return render_page(
        request, "billing/statements/balance.html", "billing/statements/_movements.html", context
    )


@require_GET
@requires("billing.list_order")
def balance_export(request: ConsoleRequest) -> HttpResponseBase:
    return exports.money_workbook(
        MoneyFilter(request.GET).narrow(MoneyEntry.objects.for_tenant(request.tenant))
    )


@require_GET
@requires("billing.list_package")
def usage(request: ConsoleRequest) -> HttpResponse:
    form = UsageForm(request.GET, tenant=request.tenant)
    span = form.span
    context = {"form": form, "span": span, "usage": usage_of(span) if span else None}
    page, fragment = "billing/statements/usage.html", "billing/statements/_usage.html"
    return render_page(request, page, fragment, context, status=200 if span else 422)


@require_GET
@requires("billing.list_package")
def usage_export(request: ConsoleRequest) -> HttpResponseBase:
    span = UsageForm(request.GET, tenant=request.tenant).span
    return exports.usage_workbook(usage_of(span, by_day=True)) if span else redirect("billing:usage")


@require_GET
@requires("billing.list_order")
def bill_list(request: ConsoleRequest) -> HttpResponse:
    bills, currency = bills_of(request.tenant)
    return render(request, "billing/statements/bills.html", {"bills": bills, "currency": currency})


@require_GET
@requires("billing.list_order")
def bill_export(request: ConsoleRequest) -> HttpResponseBase:
    return exports.bills_workbook(*bills_of(request.tenant))


@require_http_methods(["GET", "POST"])
@requires("billing.change_package")
def alert_edit(request: ConsoleRequest) -> HttpResponse:
    """When the account is told by mail that its packages run out."""
    account = queries.account_of(request.tenant)
    initial = {"percent": account.alert_percent, "remaining": account.alert_remaining}
    form = AlertForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            services_money.set_alerts(tenant=request.tenant, user=request.user, **form.cleaned_data)
        except RuleViolation as refusal:
            form.add_error(refusal.field, refusal.message)
        else:
            messages.success(request, _("The alerts are saved."))
            return redirect("billing:package_list")
    return render(
        request, "billing/statements/alerts.html", {"form": form}, status=422 if form.errors else 200
    )
