"""The operators' forms: they judge what the admin then saves."""

from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.utils.translation import gettext_lazy as _

from email_service.setup.models import DestinationLimit, EmailService, SenderLimit, Transport
from koomessage.common.mailbox import BadAddress, normalise

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
        fields = (
            "tenant", "sensitive", "transport", "in_doubt", "messages_per_second", "paused", "pause_reason",
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("paused") and not cleaned.get("pause_reason"):
            self.add_error("pause_reason", _("Say why: the account sees it beside its paused tasks."))
        if not cleaned.get("paused"):
            cleaned["pause_reason"] = ""
        return cleaned


class _DomainForm(forms.ModelForm):
    """A limit of a domain, which is kept as messages name it: in lower case, as DNS writes it."""

    def clean_domain(self) -> str:
        try:
            return normalise(f"postmaster@{self.cleaned_data['domain'].strip().rstrip('.')}").domain
        except BadAddress as error:
            raise forms.ValidationError(_("Enter a domain such as example.com.")) from error


class SenderLimitForm(_DomainForm):
    class Meta:
        model = SenderLimit
        fields = (
            "tenant", "domain", "messages_per_second", "warmup_first", "warmup_growth", "warmup_from",
            "warmup_until", "warmup_most",
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        first, begins, ends = (cleaned.get(f"warmup_{name}") for name in ("first", "from", "until"))
        if first and not begins and "warmup_from" not in self.errors:
            self.add_error("warmup_from", _("Say on which day the warm-up begins."))
        if not first and begins and "warmup_first" not in self.errors:
            self.add_error("warmup_first", _("Say how many messages may go on the first day."))
        if begins and ends and ends < begins:
            self.add_error("warmup_until", _("The last day lies before the first."))
        if first and (cleaned.get("warmup_most") or first) < first:
            self.add_error("warmup_most", _("The last ceiling is lower than the first."))
        if not (first or cleaned.get("messages_per_second") or self.errors):
            raise forms.ValidationError(_("Set messages a second, a warm-up, or both."))
        return cleaned


class DestinationLimitForm(_DomainForm):
    class Meta:
        model = DestinationLimit
        fields = ("domain", "messages_per_second")
