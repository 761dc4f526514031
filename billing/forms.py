"""What people enter to buy and to pay."""

import zoneinfo
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from billing import gateway
from billing.models import Order, PackageSpec
from billing.prices import LEAST_OF_ONE, MOST_OF_ONE
from billing.quotes import Quote, quote
from billing.usage import Span
from iam.models import Tenant


def _quantity(label: Any, least: int, message: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        min_value=least,
        max_value=MOST_OF_ONE,
        widget=forms.NumberInput(attrs={"step": 1, "inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"required": message, "invalid": message, "min_value": message, "max_value": message},
    )


class PurchaseForm(forms.Form):
    """Which specification and how many; amounts are never read from a form."""

    spec = forms.TypedChoiceField(
        label=_("Specification"),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose a specification."),
            "invalid_choice": _("This package is no longer on offer. Choose another."),
        },
    )
    quantity = _quantity(_("Quantity"), LEAST_OF_ONE, _("Enter a whole number from 1 to 10."))
    token = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)

    def __init__(self, *args: Any, specs: Sequence[PackageSpec], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.specs = specs
        by_key = {str(spec.pk): spec for spec in specs}
        field = self.fields["spec"]
        assert isinstance(field, forms.TypedChoiceField)  # noqa: S101  tells the type checker
        field.choices = [(key, spec.label) for key, spec in by_key.items()]
        field.coerce = by_key.__getitem__

    @property
    def cards(self) -> list[tuple[PackageSpec, Any]]:
        """Each specification with its radio button."""
        return list(zip(self.specs, self["spec"], strict=True))

    @property
    def quote(self) -> Quote | None:
        """What the choice costs, as far as it can be understood."""
        self.is_valid()
        spec, quantity = self.cleaned_data.get("spec"), self.cleaned_data.get("quantity")
        return quote([(spec, quantity)]) if spec and quantity else None


class CalculatorForm(forms.Form):
    """How many of each specification; empty is none."""

    def __init__(self, query: Any, *, specs: Sequence[PackageSpec]) -> None:
        super().__init__(query)
        self.specs = specs
        for spec in specs:
            field = _quantity(spec.label, 0, _("Enter a whole number from 0 to 10."))
            field.required = False
            field.initial = 0
            self.fields[f"spec_{spec.pk}"] = field

    @property
    def rows(self) -> list[tuple[PackageSpec, forms.BoundField]]:
        return [(spec, self[f"spec_{spec.pk}"]) for spec in self.specs]

    @property
    def quote(self) -> Quote | None:
        """What the mix costs; odd numbers are shown as errors and cost nothing."""
        self.is_valid()
        return quote([(spec, self.cleaned_data.get(f"spec_{spec.pk}") or 0) for spec in self.specs])


def methods() -> list[tuple[str, Any]]:
    """Return how an order can be paid: online only where the platform has a gateway."""
    hidden = () if gateway.is_offered() else (Order.Method.ONLINE,)
    return [choice for choice in Order.Method.choices if choice[0] not in hidden]


class PaymentForm(forms.Form):
    """How an order is paid."""

    method = forms.ChoiceField(
        label=_("Payment method"),
        choices=methods,
        initial=Order.Method.BALANCE,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a payment method.")},
    )


class IdentityForm(PaymentForm):
    """The same once more with the password, where operation protection is on."""

    method = forms.ChoiceField(choices=methods, widget=forms.HiddenInput)
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
        error_messages={"required": _("Enter your password.")},
    )


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": _("Choose a day."), "invalid": _("Enter a day such as 2024-08-16.")},
    )


class UsageForm(forms.Form):
    """Whole days of the account's calendar; without a range the current month so far."""

    MOST_DAYS = 366

    first = _day(_("First day"))
    last = _day(_("Last day"))

    def __init__(self, query: QueryDict, *, tenant: Tenant) -> None:
        self.tenant = tenant
        self.today = timezone.localdate(timezone=zoneinfo.ZoneInfo(tenant.time_zone))
        values = query.copy()
        if not values.get("first") and not values.get("last"):
            values["first"], values["last"] = str(self.today.replace(day=1)), str(self.today)
        super().__init__(values)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and first > last:
            self.add_error("last", _("The end lies before the start; swap the two."))
        elif first and last and (last - first).days >= self.MOST_DAYS:
            self.add_error("last", _("Choose a range of at most a year."))
        for name in ("first", "last"):
            if cleaned.get(name) and not 2000 <= cleaned[name].year <= self.today.year + 1:
                self.add_error(name, _("Choose a day of this year or an earlier one."))
        return cleaned

    @property
    def span(self) -> Span | None:
        """The range asked for; None where it makes no sense."""
        if not self.is_valid():
            return None
        return Span(self.tenant, self.cleaned_data["first"], self.cleaned_data["last"])

    @property
    def presets(self) -> list[tuple[Any, Any, Any]]:
        """Ranges that are often asked for, as words, first and last day."""
        begin = self.today.replace(day=1)
        before = begin - timedelta(days=1)
        return [
            (_("This month"), begin, self.today),
            (_("Last month"), before.replace(day=1), before),
            (_("Last 30 days"), self.today - timedelta(days=29), self.today),
            (_("Last year"), self.today - timedelta(days=364), self.today),
        ]


class AlertForm(forms.Form):
    """When the account is told by mail; an empty field never."""

    percent = forms.IntegerField(
        label=_("Share of a package used (%)"),
        required=False,
        min_value=1,
        max_value=100,
        help_text=_("A mail is sent when so much of a package is used or reserved. Empty: no mail."),
    )
    remaining = forms.IntegerField(
        label=_("Mails remaining"),
        required=False,
        min_value=1,
        max_value=10**12,
        help_text=_(
            "A mail is sent when all usable packages together hold no more than this. Empty: no mail."
        ),
    )
