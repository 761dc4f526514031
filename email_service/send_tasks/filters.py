"""The filter bar of the list of tasks."""

from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _

from email_service.send_tasks.models import Task
from koomessage.common.filters import CreatedRangeForm


class TaskFilter(CreatedRangeForm):
    name = forms.CharField(label=_("Task name or ID"), max_length=64)
    template = forms.CharField(label=_("Template name"), max_length=64)
    template_code = forms.CharField(label=_("Template ID"), max_length=12)
    status = forms.ChoiceField(label=_("Task status"), choices=[("", _("All")), *Task.Status.choices])

    def narrow(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        text = self.value("name")
        if text:
            rows = rows.filter(models.Q(name__icontains=text.strip()) | models.Q(code__iexact=text.strip()))
        if self.value("template"):
            rows = rows.filter(template_title__icontains=self.value("template").strip())
        if self.value("template_code"):
            rows = rows.filter(template_code__iexact=self.value("template_code").strip())
        if self.value("status"):
            rows = rows.filter(status=self.value("status"))
        return self.within(rows)
