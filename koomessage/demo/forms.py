"""What is entered on the demo's pages."""

import ipaddress
import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from koomessage.demo.zone import KINDS

HOST = re.compile(
    r"^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.?$"
)
LONGEST_NAME = 253
LONGEST_VALUE = 4000


class RecordForm(forms.Form):
    """A DNS record as a DNS host's page takes it."""

    kind = forms.ChoiceField(label=_("Type"), choices=[(kind, kind) for kind in KINDS])
    name = forms.CharField(
        label=_("Name"), max_length=LONGEST_NAME, widget=forms.TextInput(attrs={"placeholder": "example.com"})
    )
    value = forms.CharField(label=_("Value"), max_length=LONGEST_VALUE)

    def clean_name(self) -> str:
        name = _host(self.cleaned_data["name"])
        if name is None:
            raise forms.ValidationError(_("Enter a whole name such as _dmarc.example.com."))
        return name

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        kind, value = cleaned.get("kind"), cleaned.get("value")
        if not kind or not value:
            return cleaned
        try:
            cleaned["value"] = _value(kind, value.strip())
        except forms.ValidationError as error:
            self.add_error("value", error)
        return cleaned


def _value(kind: str, value: str) -> str:
    if kind == "TXT":
        # Hosts show strings in quotes; people copy them with the quotes.
        return (
            "".join(re.findall(r'"([^"]*)"', value))
            if value.startswith('"') and value.endswith('"')
            else value
        )
    if kind in ("A", "AAAA"):
        try:
            address = ipaddress.ip_address(value)
        except ValueError:
            address = None
        if address is None or address.version != (4 if kind == "A" else 6):
            raise forms.ValidationError(_("Enter an IP address of this type."))
        return str(address)
    first, _space, rest = value.rpartition(" ")
    host = _host(rest)
    if host is None or (first and (kind != "MX" or not first.strip().isdigit() or int(first) > 65535)):
        raise forms.ValidationError(_("Enter a host name; for MX, a priority may stand before it."))
    return f"{int(first or 10)} {host}" if kind == "MX" else host


def _host(text: str) -> str | None:
    try:
        name = text.strip().rstrip(".").lower().encode("idna" if not text.isascii() else "ascii").decode()
    except UnicodeError:
        return None
    return name if len(name) <= LONGEST_NAME and HOST.match(name) else None
