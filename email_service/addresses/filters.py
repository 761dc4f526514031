"""The search box of the list of sender addresses."""

from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _

from koomessage.common.filters import FilterForm


class AddressFilter(FilterForm):
    address = forms.CharField(label=_("Sender address"), max_length=254)

    def narrow(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        text = self.value("address")
        return rows.matching(text.strip()) if text else rows  # type: ignore[attr-defined]
