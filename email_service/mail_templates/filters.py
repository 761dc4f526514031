"""The filters of 我的模板 and 公共模板."""

from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _

from email_service.mail_templates.models import Template
from koomessage.common.filters import CreatedRangeForm, FilterForm


class PublicTemplateFilter(FilterForm):
    name = forms.CharField(label=_("Template name"), max_length=64)
    code = forms.CharField(label=_("Template ID"), max_length=12)

    def narrow(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if self.value("name"):
            rows = rows.filter(title__icontains=self.value("name"))
        if self.value("code"):
            rows = rows.filter(code__icontains=self.value("code"))
        return rows


class TemplateFilter(CreatedRangeForm):
    name = forms.CharField(label=_("Template name"), max_length=64)
    code = forms.CharField(label=_("Template ID"), max_length=12)
    status = forms.ChoiceField(label=_("Review status"), choices=[("", _("All")), *Template.Status.choices])

    def narrow(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if self.value("name"):
            rows = rows.filter(title__icontains=self.value("name"))
        if self.value("code"):
            rows = rows.filter(code__icontains=self.value("code"))
        if self.value("status"):
            rows = rows.filter(status=self.value("status"))
        return self.within(rows)
