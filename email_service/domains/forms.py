"""The dialog 发信域名配置 and the filters of the list."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from email_service.domains import names
from koomessage.common.errors import RuleViolation


class DomainForm(forms.Form):
    name = forms.CharField(
        label=_("Sending domain"),
        max_length=300,  # of what may be pasted; the domain itself is judged in clean_name
        help_text=_(
            "A domain registered to you whose DNS records you can edit, 1 to 66 characters, such "
            "as mail.example.com."
        ),
        error_messages={"required": _("Enter a domain such as example.com.")},
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
                "placeholder": "example.com",
            }
        ),
    )

    def clean_name(self) -> str:
        """Return the A-label of what was typed or pasted."""
        try:
            return names.normalise(self.cleaned_data["name"])
        except RuleViolation as refusal:
            raise ValidationError(refusal.message) from refusal
