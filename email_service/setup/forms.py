"""The operators' forms: they judge what the admin then saves."""

from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.utils.translation import gettext_lazy as _

from email_service.setup.models import EmailService, Transport

HOST = RegexValidator(
    r"^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$", _("Enter a host name or an IP address, without a port.")
)


class DirectForm(forms.ModelForm):
    """A transport that delivers directly: the DNS names the hosts, the settings the port."""

    connections = forms.IntegerField(
        label=_("Connections a worker"),
        initial=8,
        validators=[MinValueValidator(1), MaxValueValidator(50)],
        help_text=_("The most that one destination gets; fewer where its replies ask for it."),
    )

    class Meta:
        model = Transport
        fields = ("name", "kind", "connections")


class RelayForm(forms.ModelForm):
    """A relay; its password is written, never shown."""

    host = forms.CharField(label=_("Host"), max_length=255, validators=[HOST])
    port = forms.IntegerField(label=_("Port"), initial=25, min_value=1, max_value=65535)
    connections = forms.IntegerField(
        label=_("Connections a worker"), initial=8, validators=[MinValueValidator(1), MaxValueValidator(200)]
    )
    password = forms.CharField(
        label=_("Password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
        help_text=_("Never shown. Leave empty to keep the stored one; clear the user name to remove it."),
    )

    class Meta:
        model = Transport
        fields = ("name", "kind", "host", "port", "security", "username", "password", "connections")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("username"):
            cleaned["password"] = ""
        elif not cleaned.get("password"):
            cleaned["password"] = self.instance.password
        password = cleaned["password"]
        if cleaned.get("username") and not password:
            self.add_error("password", _("A user name needs a password."))
        if password and cleaned.get("security") == Transport.Security.NONE:
            self.add_error(
                "security", _("A password may not cross the network unencrypted. Choose STARTTLS or TLS.")
            )
        return cleaned


class EmailServiceForm(forms.ModelForm):
    class Meta:
        model = EmailService
        fields = ("tenant", "sensitive", "transport", "in_doubt", "paused", "pause_reason")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("paused") and not cleaned.get("pause_reason"):
            self.add_error("pause_reason", _("Say why: the account sees it beside its paused tasks."))
        if not cleaned.get("paused"):
            cleaned["pause_reason"] = ""
        return cleaned
