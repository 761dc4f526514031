"""Where a link leads, and how an address may deceive about it."""

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import urlsplit

import idna

from email_service.domains.names import display, registrable

_PARAMETER = re.compile(r"\{\{.*?\}\}")
_WHOLE_PARAMETER = re.compile(r"(?:[a-z][a-z0-9+.-]*:/*)?\{\{.*?\}\}", re.IGNORECASE)
_IGNORED = re.compile(r"[\x00-\x20\u200b-\u200f\u2028-\u202f\u2060-\u2069\ufeff]+")  # as browsers do
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_SHOWN = re.compile(
    r"(?:(?:https?://)|(?=www\.))((?:[\w-]{1,63}\.){1,20}[^\W\d_]{2,})|^((?:[\w-]+\.)+[^\W\d_]{2,})(?:[:/?#]\S*)?$",
    re.I,
)
# “report.pdf” is the name of a file, however like a domain it looks.
_FILES = frozenset({
    "html", "htm", "pdf", "png", "jpg", "jpeg", "gif", "txt", "zip", "doc", "docx", "xls", "xlsx", "ppt", "pptx",
    "js", "css", "json", "csv", "md",
})  # fmt: skip
# Letters of other scripts that nobody tells from Latin ones.
_TWINS = frozenset("аеорсухіјѕһԁԛԝӏαονρυ")
_SCRIPTS = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC"})


@dataclass(frozen=True, slots=True)
class Target:
    """An address taken apart; `host` is the A-label, empty where there is none or a parameter stands for it."""

    scheme: str
    host: str
    has_login: bool = False  # https://bank.example@evil.example leads to evil.example
    is_parameter: bool = False

    @property
    def shown_host(self) -> str:
        """The host as people read it; both spellings where they differ."""
        words = display(self.host)
        return self.host if words == self.host else f"{words} ({self.host})"


def target_of(address: str) -> Target:
    bare = _IGNORED.sub("", address).replace("\\", "/")
    if _WHOLE_PARAMETER.match(bare):
        return Target("", "", is_parameter=True)
    found = _SCHEME.match(bare)
    scheme = found[1].lower() if found else ("https" if bare.lower().startswith("www.") else "")
    if scheme not in ("http", "https", "ftp"):
        return Target(scheme, "")
    try:
        parts = urlsplit(bare if found else f"https://{bare}")
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return Target(scheme, "")
    if _PARAMETER.search(parts.netloc):
        return Target(scheme, "", "@" in parts.netloc, is_parameter=True)
    return Target(scheme, _a_label(host), "@" in parts.netloc)


def host_shown_in(text: str) -> str:
    """Return the host that a link's words name, as an A-label; empty where they name none."""
    found = _SHOWN.search(text.strip())
    host = (found[1] or found[2]) if found else ""
    return "" if host.rpartition(".")[2].lower() in _FILES else _a_label(host)


def are_one_site(one: str, other: str) -> bool:
    return registrable(one) == registrable(other)


def is_ip_address(host: str) -> bool:
    """Say whether the host is a number, in any of the spellings that browsers understand."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return re.fullmatch(r"(?:0x[0-9a-f]+|\d+)(?:\.(?:0x[0-9a-f]+|\d+)){0,3}", host) is not None
    return True


def is_lookalike(host: str) -> bool:
    """Say whether a label mixes alphabets, is written with twins of Latin letters, or cannot be decoded."""
    return any(_is_odd(label) for label in host.split(".") if label.startswith("xn--") or not label.isascii())


def _is_odd(label: str) -> bool:
    try:
        text = label.encode("ascii").decode("idna") if label.isascii() else label
    except UnicodeError:
        return True
    letters = [char for char in text.lower() if char.isalpha()]
    scripts = {unicodedata.name(char, "?").split()[0] for char in letters} & _SCRIPTS
    return len(scripts) > 1 or (bool(letters) and all(char in _TWINS for char in letters)) or text.isascii()


def _a_label(host: str) -> str:
    host = host.lower()
    try:
        return host if host.isascii() else idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        return host
