"""The filter bars of packages, orders and movements of money."""

from typing import Any

from django import forms
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from billing.models import MoneyEntry, Order, Package
from koomessage.common.filters import CreatedRangeForm, FilterForm

ANY = [("", _("All"))]


class PackageFilter(FilterForm):
    name = forms.CharField(label=_("Package name"), max_length=64)
    state = forms.ChoiceField(label=_("State"), choices=ANY + Package.State.choices)

    def narrow(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if self.value("name"):
            rows = rows.matching(self.value("name"))  # type: ignore[attr-defined]
        if self.value("state"):
            rows = rows.in_state(self.value("state"), timezone.now())  # type: ignore[attr-defined]
        return rows


class OrderFilter(CreatedRangeForm):
    number = forms.CharField(label=_("Order number"), max_length=16)
    status = forms.ChoiceField(label=_("Status"), choices=ANY + Order.Status.choices)

    def narrow(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if self.value("number"):
            rows = rows.filter(number__icontains=self.value("number"))
        if self.value("status"):
            rows = rows.in_status(self.value("status"), timezone.now())  # type: ignore[attr-defined]
        return self.within(rows)


class MoneyFilter(CreatedRangeForm):
    text = forms.CharField(label=_("Order number or reason"), max_length=64)
    kind = forms.ChoiceField(label=_("Kind"), choices=ANY + MoneyEntry.Kind.choices)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["created_from"].label, self.fields["created_to"].label = _("From"), _("To")

    def narrow(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        text = self.value("text")
        if text:
            # The reason of a usage line is for programs, and not shown.
            rows = rows.filter(Q(reason__icontains=text, hour=None) | Q(order__number__icontains=text))
        if self.value("kind"):
            rows = rows.filter(kind=self.value("kind"))
        return self.within(rows, "at")
