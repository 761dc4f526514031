"""套餐包管理: what an account has, what it can buy, what that costs."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from billing import queries, services_orders
from billing.filters import PackageFilter
from billing.forms import CalculatorForm, PurchaseForm
from billing.models import Package
from koomessage.common.errors import RuleViolation
from koomessage.common.htmx import render_page
from koomessage.common.paging import paginate
from koomessage.common.permissions import requires
from koomessage.common.requests import ConsoleRequest

SORTS = {"expires": "expires_at", "created": "created_at", "total": "total"}


@require_GET
@requires("billing.list_package")
def package_list(request: ConsoleRequest) -> HttpResponse:
    filter_form = PackageFilter(request.GET)
    rows = filter_form.narrow(Package.objects.for_tenant(request.tenant))
    page = paginate(request, rows, sorts=SORTS, default="-expires")
    context = {
        "page": page,
        "lines": queries.package_lines(page.rows, timezone.now()),
        "filter": filter_form,
        "summary": queries.package_summary(request.tenant),
    }
    return render_page(request, "billing/packages/list.html", "billing/packages/_list.html", context)


@require_http_methods(["GET", "POST"])
@requires("billing.add_order")
def package_purchase(request: ConsoleRequest) -> HttpResponse:
    """Choose; each change asks for the fragment of 配置费用. A POST places the order."""
    specs = queries.offered_specs(request.tenant)
    choice = PurchaseForm(request.POST or request.GET, specs=specs)
    context = {"form": choice, "choice": choice, "quote": choice.quote}
    if request.method == "POST":
        if choice.is_valid():
            try:
                order = services_orders.place_order(
                    tenant=request.tenant, user=request.user, **choice.cleaned_data
                )
            except RuleViolation as refusal:
                choice.add_error(refusal.field, refusal.message)
            else:
                return redirect("billing:order_pay", order.pk)
        return render(request, "billing/packages/purchase.html", context, status=422)
    # The address chooses, but makes no errors: a fresh form carries a token of its own.
    chosen = {name: request.GET[name] for name in ("spec", "quantity") if name in request.GET}
    context["form"] = PurchaseForm(initial={"quantity": 1, **chosen}, specs=specs)
    return render_page(request, "billing/packages/purchase.html", "billing/packages/_cost.html", context)


@require_GET
@requires("billing.list_package")
def package_calculator(request: ConsoleRequest) -> HttpResponse:
    form = CalculatorForm(request.GET or None, specs=queries.offered_specs(request.tenant))
    context = {"form": form, "quote": form.quote if form.is_bound else None}
    return render_page(
        request, "billing/packages/calculator.html", "billing/packages/_calculator.html", context
    )
