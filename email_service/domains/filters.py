"""The search box of the list of domains."""

from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _

from koomessage.common.filters import FilterForm


class DomainFilter(FilterForm):
    name = forms.CharField(label=_("Sending domain"), max_length=253)

    def narrow(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        text = self.value("name")
        return rows.matching(text.strip()) if text else rows  # type: ignore[attr-defined]
