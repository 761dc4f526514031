"""Which columns the list of 发送明细 shows."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from email_service.send_details.columns import COLUMNS, shown


class ColumnsForm(forms.Form):
    columns = forms.MultipleChoiceField(
        label=_("Columns"),
        required=False,
        choices=[(column.name, column.label) for column in COLUMNS if not column.is_fixed],
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, data: Any, *, chosen: Collection[str] | None) -> None:
        super().__init__(data, initial={"columns": [column.name for column in shown(chosen)]})
        self.fixed = [column.label for column in COLUMNS if column.is_fixed]
