"""Orders and payments in the admin: looked at; a bank transfer is confirmed, and nothing else is changed."""

from decimal import Decimal

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from billing import services_payments
from billing.admin_ledgers import LedgerAdmin
from billing.models import Order, Payment
from billing.prices import PLACES, written
from koomessage.common.errors import RuleViolation


class ReceiptForm(forms.Form):
    """What the bank's statement says of one transfer."""

    amount = forms.DecimalField(
        label=_("Amount that arrived"),
        min_value=Decimal("0.01"),
        max_digits=12,
        decimal_places=PLACES,
        localize=False,
        widget=forms.NumberInput(attrs={"autofocus": True}),
    )
    transaction_number = forms.CharField(
        label=_("Transaction number of the bank"),
        max_length=64,
        widget=forms.TextInput(attrs={"size": 40}),
        help_text=_("Each transaction number is booked once."),
    )


@admin.register(Order)
class OrderAdmin(LedgerAdmin):
    list_display = (
        "number",
        "tenant",
        "name",
        "quantity",
        "amount",
        "currency",
        "status",
        "method",
        "created_at",
    )
    list_select_related = ("tenant",)
    list_filter = ("status", "method", "created_at")
    search_fields = ("number", "tenant__account", "tenant__name")
    ordering = ("-created_at", "-pk")
    exclude = ("token",)
    actions = ("confirm_transfer",)

    @admin.display(description=_("amount"))
    def amount(self, order: Order) -> str:
        return str(order.amount)

    def has_confirm_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("billing.confirm_transfer")

    @admin.action(description=_("Confirm that a bank transfer arrived"), permissions=["confirm"])
    def confirm_transfer(self, request: HttpRequest, rows: models.QuerySet[Order]) -> HttpResponse | None:
        """Ask what arrived, for one order at a time: each transfer has an amount and a number of its own."""
        orders = list(rows[:2])
        if len(orders) != 1:
            messages.error(request, _("Choose one order: each transfer is confirmed by itself."))
            return None
        order = orders[0]
        is_answer = "transaction_number" in request.POST
        form = ReceiptForm(request.POST if is_answer else None, initial={"amount": order.amount})
        if form.is_valid():
            try:
                payment = services_payments.confirm_transfer(
                    order=order,
                    user=request.user,  # type: ignore[arg-type]
                    **form.cleaned_data,
                )
            except RuleViolation as refusal:
                form.add_error(refusal.field, str(refusal.message))
            else:
                self._say(request, order, payment)
                return None
        context = {
            **self.admin_site.each_context(request),
            "title": _("Confirm a bank transfer"),
            "order": order,
            "payments": order.payments.order_by("-pk"),
            "form": form,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/billing/confirm_transfer.html", context)

    def _say(self, request: HttpRequest, order: Order, payment: Payment) -> None:
        if payment.status == Payment.Status.SUCCEEDED:
            messages.success(request, _("Order %(number)s is paid.") % {"number": order.number})
            return
        words = {
            "amount": written(payment.received or payment.amount, payment.currency),
            "why": payment.get_why_display(),
        }
        messages.warning(request, _("%(amount)s were credited to the balance. %(why)s") % words)


@admin.register(Payment)
class PaymentAdmin(LedgerAdmin):
    list_display = (
        "reference",
        "order",
        "tenant",
        "method",
        "status",
        "amount",
        "received",
        "currency",
        "transaction",
        "created_at",
    )
    list_select_related = ("order", "tenant")
    list_filter = ("status", "method", "created_at")
    search_fields = ("reference", "transaction", "order__number", "tenant__account")
    ordering = ("-created_at", "-pk")
