"""确认付款: choose a method, prove who pays, wait for money from outside; and what a gateway tells us."""

import logging

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing import gateway, queries, services_payments
from billing.forms import IdentityForm, PaymentForm
from billing.models import Order
from iam import confirmation
from koomessage.common.errors import RuleViolation
from koomessage.common.htmx import render_page
from koomessage.common.permissions import public, requires
from koomessage.common.requests import ConsoleRequest

logger = logging.getLogger(__name__)


def _purpose(order: Order) -> str:
    return f"billing.order:{order.pk}"


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("password")
@requires("billing.pay_order", on=Order)
def order_pay(request: ConsoleRequest, order: Order) -> HttpResponse:
    """Choose the method and pay; with operation protection the password is asked for this order first."""
    if not queries.order_context(order)["is_open"]:
        return redirect("billing:order_paid" if order.paid_at else "billing:order_detail", order.pk)
    asks = confirmation.is_needed(request, _purpose(order))
    is_proof = asks and "password" in request.POST
    form = (IdentityForm if is_proof else PaymentForm)(request.POST or None)
    if not form.is_valid():
        return _payment(request, order, form)
    if asks and not is_proof:
        return _payment(request, order, IdentityForm(initial=form.cleaned_data))
    try:
        if asks:
            confirmation.confirm(request, _purpose(order), form.cleaned_data["password"])
        order = services_payments.pay_order(
            order=order, method=form.cleaned_data["method"], user=request.user
        )
    except RuleViolation as refusal:
        form.add_error(refusal.field, str(refusal.message))
        return _payment(request, order, form)
    return _onward(request, order)


def _onward(request: ConsoleRequest, order: Order) -> HttpResponse:
    """Lead to the package, to the gateway, or to the account to transfer to."""
    payment = queries.waiting_payment(order)
    if order.paid_at:
        confirmation.forget(request, _purpose(order))
        return redirect("billing:order_paid", order.pk)
    if payment and payment.method == Order.Method.ONLINE:
        return redirect(gateway.payment_page(payment))
    return redirect(order)


def _payment(request: ConsoleRequest, order: Order, form: PaymentForm) -> HttpResponse:
    account = queries.account_of(request.tenant)
    context = {
        **queries.order_context(order),
        "form": form,
        "account": account,
        "lacks": account.balance < order.amount,
        "asks": confirmation.is_needed(request, _purpose(order)),
    }
    if context["lacks"] and not form.is_bound:
        form.initial.setdefault("method", queries.method_instead(order))
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
    return render(request, "billing/orders/paid.html", queries.order_context(order))


@require_GET
@never_cache
@requires("billing.view_order", on=Order)
def order_waiting(request: ConsoleRequest, order: Order) -> HttpResponse:
    """Where the gateway sends the customer back to: it proves nothing, so the page waits for the gateway's word."""
    if order.paid_at:
        return redirect("billing:order_paid", order.pk)
    context = {**queries.order_context(order), "payment": queries.last_online_payment(order)}
    if context["payment"] is None:
        return redirect(order)
    return render_page(request, "billing/orders/waiting.html", "billing/orders/_waiting.html", context)


@require_POST
@requires("billing.pay_order", on=Order)
def payment_check(request: ConsoleRequest, order: Order) -> HttpResponse:
    """Ask the gateway now, instead of waiting for its message."""
    services_payments.check_order(order=order)
    return redirect("billing:order_waiting", order.pk)


# A gateway has no session and no page before it: its signature is what proves the right.
@csrf_exempt
@never_cache
@require_POST
@public
def payment_notice(request: HttpRequest) -> HttpResponse:
    """Take what the gateway says; answered 200 when it is done, or was done before, so that it stops repeating."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > gateway.LARGEST:
        return HttpResponse("too large", status=413, content_type="text/plain")
    if not gateway.is_signed(request.headers, request.body):
        return HttpResponse("not signed", status=403, content_type="text/plain")
    try:
        services_payments.take_notice(gateway.read_notice(request.body))
    except (ValueError, RuleViolation) as refusal:
        logger.warning("A signed notice of the payment gateway is refused: %s", refusal)
        return HttpResponse("refused", status=422, content_type="text/plain")
    return HttpResponse("ok", content_type="text/plain")
