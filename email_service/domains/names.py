"""What a sending domain's name may look like, and how it is tidied."""

import re
from urllib.parse import urlsplit

import idna
from django.utils.translation import gettext_lazy as _
from publicsuffixlist import PublicSuffixList

from koomessage.common.errors import RuleViolation

MAX_LENGTH = 66  # of the A-label, PRODUCT.md section 4
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_DOTS = str.maketrans("。．｡", "...")
_suffixes = PublicSuffixList()


def normalise(text: str) -> str:
    """Return the domain's A-label in lower case, or refuse with a sentence (field "name").

    What people paste is understood: a web address, a path, a port, a dot at the end, full-width letters.
    """
    name = _bare(text)
    if not name:
        raise _refusal(_("Enter a domain such as example.com."))
    if "@" in name:
        raise _refusal(_("Enter the domain alone, without the part of an address before the @."))
    if name.startswith("*."):
        raise _refusal(_("Enter one domain; a name with * cannot be used."))
    name = _a_label(name)
    if len(name) > MAX_LENGTH:
        raise _refusal(_("A domain may be at most 66 characters long, counted as DNS writes it."))
    labels = name.split(".")
    if labels[-1].isdigit():
        raise _refusal(_("Enter a domain, not an IP address."))
    if len(labels) < 2 or _suffixes.privatesuffix(name) is None:
        raise _refusal(
            _(
                "This is an ending that many domains share. Enter a domain registered to you, such as "
                "example.com."
            )
        )
    return name


def display(name: str) -> str:
    """Return the U-label that people read."""
    try:
        return idna.decode(name)
    except idna.IDNAError:
        return name


def registrable(name: str) -> str:
    """Return the part of the name that is registered: example.com of mail.example.com."""
    return str(_suffixes.privatesuffix(name) or name)


def host(name: str) -> str:
    """Return what most DNS panels ask for as the host: the part before the registered domain, @ for none."""
    return name.removesuffix(registrable(name)).rstrip(".") or "@"


def _bare(text: str) -> str:
    name = text.strip().strip("\u3000\u200b\ufeff\"'").translate(_DOTS)
    name = re.sub(r"[\uff01-\uff5e]", lambda found: chr(ord(found[0]) - 0xFEE0), name)
    try:
        if "://" in name:
            name = urlsplit(name).netloc.rpartition("@")[2]
        name = re.split(r"[/?#]", name.removeprefix("//"), maxsplit=1)[0]
    except ValueError:
        return name
    name = re.sub(r":\d*$", "", name)
    return name.removeprefix("@").rstrip(".").strip().lower()


def _a_label(name: str) -> str:
    try:
        labels = idna.encode(name, uts46=True).decode().lower() if not name.isascii() else name
        if not all(_LABEL.fullmatch(label) for label in labels.split(".")):
            raise _refusal(_invalid)
        if "xn--" in labels:
            idna.decode(labels)
    except idna.IDNAError as error:
        raise _refusal(_invalid) from error
    return labels


_invalid = _(
    "This is not a domain name. Use letters, digits and hyphens between dots, such as mail.example.com."
)


def _refusal(message: object) -> RuleViolation:
    return RuleViolation(message, field="name")  # type: ignore[arg-type]
