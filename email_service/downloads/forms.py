"""What is asked before an export: the kind of file, and whether addresses stand in it whole."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from email_service.downloads.models import Export


class ExportForm(forms.Form):
    format = forms.ChoiceField(
        label=_("File format"),
        choices=Export.Format,
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
        initial=Export.Format.XLSX,
    )
    is_revealed = forms.BooleanField(
        label=_("Show whole recipient addresses"),
        required=False,
        help_text=_("Otherwise they are masked, as in the list. The audit log says how many you exported."),
    )

    def __init__(self, *args: Any, may_reveal: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_reveal:
            del self.fields["is_revealed"]
