"""云服务订单: look, pay, drop before paying."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from billing import queries, services_orders
from billing.confirmation import proves_identity
from billing.filters import OrderFilter
from billing.forms import IdentityForm, PaymentForm
from billing.models import Order
from koomessage.common.errors import RuleViolation
from koomessage.common.htmx import render_confirm, render_page
from koomessage.common.paging import paginate
from koomessage.common.permissions import requires
from koomessage.common.requests import ConsoleRequest

SORTS = {"created": "created_at", "number": "number"}


@require_GET
@requires("billing.list_order")
def order_list(request: ConsoleRequest) -> HttpResponse:
    filter_form = OrderFilter(request.GET)
    rows = filter_form.narrow(Order.objects.for_tenant(request.tenant))
    page = paginate(request, rows, sorts=SORTS, default="-created")
    now = timezone.now()
    context = {
        "page": page,
        "lines": [(order, order.status_at(now)) for order in page.rows],
        "open": Order.OPEN,
        "filter": filter_form,
    }
    return render_page(request, "billing/orders/list.html", "billing/orders/_list.html", context)


@require_GET
@requires("billing.view_order", on=Order)
def order_detail(request: ConsoleRequest, order: Order) -> HttpResponse:
    return render(request, "billing/orders/detail.html", _context(order))


def _context(order: Order) -> dict[str, object]:
    status = order.status_at(timezone.now())
    return {
        "order": order,
        "status": status,
        "is_open": status in Order.OPEN,
        "bank_account": queries.bank_account(order.currency),
    }


@require_http_methods(["GET", "POST"])
@requires("billing.pay_order", on=Order)
def order_pay(request: ConsoleRequest, order: Order) -> HttpResponse:
    """Choose the method and pay; with operation protection the password is asked for this order first."""
    if not _context(order)["is_open"]:
        return redirect("billing:order_paid" if order.paid_at else "billing:order_detail", order.pk)
    asks = request.tenant.operation_protection
    is_first = "password" not in request.POST
    form = (IdentityForm if asks and not is_first else PaymentForm)(request.POST or None)
    if not form.is_valid():
        return _payment(request, order, form)
    if asks and is_first:
        return _payment(request, order, IdentityForm(initial=form.cleaned_data))
    if asks and not proves_identity(request, form.cleaned_data["password"]):
        form.add_error("password", _("The password is wrong."))
        return _payment(request, order, form)
    try:
        paid = services_orders.pay_order(order=order, method=form.cleaned_data["method"], user=request.user)
    except RuleViolation as refusal:
        form.add_error(refusal.field, refusal.message)
        return _payment(request, order, form)
    return redirect("billing:order_paid" if paid.paid_at else "billing:order_detail", paid.pk)


def _payment(request: ConsoleRequest, order: Order, form: PaymentForm) -> HttpResponse:
    account = queries.account_of(request.tenant)
    context = {**_context(order), "form": form, "account": account, "lacks": account.balance < order.amount}
    if context["lacks"] and context["bank_account"]:
        form.initial.setdefault("method", Order.Method.BANK_TRANSFER)
    name = "identity" if isinstance(form, IdentityForm) else "pay"
    status = 422 if form.errors else 200
    return render_page(
        request, f"billing/orders/{name}.html", f"billing/orders/_{name}.html", context, status=status
    )


@require_GET
@requires("billing.view_order", on=Order)
def order_paid(request: ConsoleRequest, order: Order) -> HttpResponse:
    """订单支付成功, for a paid order only."""
    if not order.paid_at:
        return redirect(order)
    return render(request, "billing/orders/paid.html", _context(order))


@require_http_methods(["GET", "POST"])
@requires("billing.cancel_order", on=Order)
def order_cancel(request: ConsoleRequest, order: Order) -> HttpResponse:
    refusal = ""
    if request.method == "POST":
        try:
            services_orders.cancel_order(order=order, user=request.user)
        except RuleViolation as violation:
            refusal = str(violation.message)
        else:
            messages.success(request, _("Order %(number)s is cancelled.") % {"number": order.number})
            return redirect("billing:order_list")
    return render_confirm(
        request,
        title=_("Cancel the order"),
        question=_("Cancel order %(number)s? Nothing has been paid for it.") % {"number": order.number},
        action_url=reverse("billing:order_cancel", args=[order.pk]),
        back_url=reverse("billing:order_list"),
        refusal=refusal,
    )
