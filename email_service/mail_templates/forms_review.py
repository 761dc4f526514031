"""What a reviewer fills in."""

from django import forms
from django.utils.translation import gettext_lazy as _

from email_service.mail_templates.reasons import REASONS


class ReviewForm(forms.Form):
    reasons = forms.MultipleChoiceField(
        label=_("Ready reasons"),
        choices=lambda: list(REASONS.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    reason = forms.CharField(
        label=_("In your own words"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
