"""The filters of the messages in doubt."""

from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _

from koomessage.common.filters import FilterForm


class HeldFilter(FilterForm):
    account = forms.CharField(label=_("Account or company"), max_length=128)
    task = forms.CharField(label=_("Task name or ID"), max_length=64)

    def narrow(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if text := (self.value("account") or "").strip():
            rows = rows.filter(
                models.Q(tenant__account__iexact=text) | models.Q(tenant__name__icontains=text)
            )
        if text := (self.value("task") or "").strip():
            rows = rows.filter(models.Q(task__code__iexact=text) | models.Q(task__name__icontains=text))
        return rows
