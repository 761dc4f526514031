"""The filters of 抑制名单."""

from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _

from email_service.feedback.models import Suppression
from koomessage.common.filters import CreatedRangeForm


class SuppressionFilter(CreatedRangeForm):
    address = forms.CharField(label=_("E-mail address"), max_length=320)
    reason = forms.ChoiceField(label=_("Reason"), choices=[("", _("All")), *Suppression.Reason.choices])

    def narrow(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if self.value("address"):
            rows = rows.matching(self.value("address"))  # type: ignore[attr-defined]
        if self.value("reason"):
            rows = rows.filter(reason=self.value("reason"))
        return self.within(rows)
