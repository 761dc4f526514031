"""The filter bars of 权限管理."""

from typing import Any

from django import forms
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from koomessage.common.filters import FilterForm


class UserFilter(FilterForm):
    search = forms.CharField(label=_("User name or e-mail"), max_length=100)
    status = forms.ChoiceField(
        label=_("Status"), choices=[("", _("All")), ("active", _("Enabled")), ("disabled", _("Disabled"))]
    )

    def narrow(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if search := self.value("search"):
            rows = rows.filter(Q(login__icontains=search) | Q(email__icontains=search))
        if status := self.value("status"):
            rows = rows.filter(is_active=status == "active")
        return rows


class NameFilter(FilterForm):
    """Groups and policies, by name."""

    search = forms.CharField(label=_("Name"), max_length=100)

    def narrow(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        search = self.value("search")
        return rows.filter(name__icontains=search) if search else rows
