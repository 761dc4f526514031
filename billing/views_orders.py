"""云服务订单: look, pay, drop before paying."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from billing import queries, services_orders
from billing.filters import OrderFilter
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
    return render(request, "billing/orders/detail.html", queries.order_context(order))


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
