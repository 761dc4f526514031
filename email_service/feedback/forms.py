"""The dialog that puts an address on the list."""

from django import forms
from django.utils.translation import gettext_lazy as _


class SuppressionForm(forms.Form):
    address = forms.CharField(
        label=_("E-mail address"),
        max_length=320,
        help_text=_(
            "Your tasks will not write to this address any more; mail that waits for it ends as rejected."
        ),
        error_messages={"required": _("Enter an e-mail address such as name@example.com.")},
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
                "inputmode": "email",
            }
        ),
    )
    note = forms.CharField(
        label=_("Note"),
        max_length=255,
        required=False,
        help_text=_("Why, for your colleagues; at most 255 characters."),
    )
