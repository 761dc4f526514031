"""The dialog 发信地址配置."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from email_service.addresses.spelling import clean_alias, clean_prefix
from koomessage.common.errors import RuleViolation


class AddressForm(forms.Form):
    domain = forms.TypedChoiceField(
        label=_("Sending domain"),
        coerce=int,
        help_text=_("Only verified domains are listed."),
        error_messages={
            "required": _("Choose a sending domain."),
            "invalid_choice": _("Choose a domain that is verified."),
        },
        widget=forms.Select(attrs={"data-address-domain": ""}),
    )
    prefix = forms.CharField(  # type: ignore[assignment]  # a field here, not the prefix of a formset
        label=_("Address prefix"),
        max_length=300,  # of what may be pasted; the prefix itself is judged in clean_prefix
        help_text=_("The part before the @, at most 64 letters, digits, dots, hyphens or underscores."),
        error_messages={"required": _("Enter the part before the @.")},
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
                "data-address-prefix": "",
            }
        ),
    )
    alias = forms.CharField(
        label=_("Sender alias"),
        max_length=300,
        required=False,
        help_text=_("The name recipients see beside the address, at most 64 characters. Optional."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "data-address-alias": ""}),
    )

    def __init__(self, query: Any, *, domains: list[tuple[str, str]]) -> None:
        super().__init__(query)
        self.fields["domain"].choices = domains  # type: ignore[attr-defined]
        if len(domains) == 1:
            self.initial["domain"] = domains[0][0]

    def clean_prefix(self) -> str:
        return _spelled(clean_prefix, self.cleaned_data["prefix"])

    def clean_alias(self) -> str:
        return _spelled(clean_alias, self.cleaned_data["alias"])

    @property
    def preview(self) -> str:
        """What 发信地址预览 shows: `prefix@domain` as far as both are known, in angle brackets behind an alias."""
        prefix = (self["prefix"].value() or "").strip()
        names = dict(self.fields["domain"].choices)  # type: ignore[attr-defined]
        domain = names.get(str(self["domain"].value() or ""), "")
        if not prefix and not domain:
            return ""
        return f"<{prefix}@{domain}>" if self.preview_alias else f"{prefix}@{domain}"

    @property
    def preview_alias(self) -> str:
        """The alias as recipients see it before the address."""
        return " ".join((self["alias"].value() or "").split())


def _spelled(clean: Callable[[str], str], text: str) -> str:
    try:
        return clean(text)
    except RuleViolation as refusal:
        raise ValidationError(refusal.message) from refusal
