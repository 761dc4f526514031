"""THE judge of e-mail addresses: for forms, rows of files and the API alike."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import idna
from email_validator import EmailNotValidError, validate_email

MAX_LENGTH = 254  # RFC 5321 section 4.5.3.1.3, less the angle brackets
MAX_LOCAL = 64
# What an input method left in full width: letters, digits and marks of ASCII, and the full stops.
_FULL_WIDTH = {0xFEE0 + code: code for code in range(0x21, 0x7F)} | {ord("。"): ".", ord("｡"): "."}
_AROUND = "\u200b\u200c\u200d\u2060\ufeff"
# Nearly every address of a file looks like this. Punycode has lengths of its own, and words of letters alone may be
# a mailbox name whose case the full judgement changes.
_PLAIN = re.compile(
    r"(?!(?=[a-z]*[A-Z])[A-Za-z]+@)([A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*)"
    r"@((?!.*[Xx][Nn]--)[A-Za-z0-9.-]+)"
)


class BadAddress(ValueError):
    """The text is no address that mail can be sent to."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address as mail is sent to it, and the key under which two spellings are one recipient."""

    address: str  # local part as written, domain as A-label in lower case
    key: str  # the address in lower case
    domain: str  # A-label
    is_ascii: bool  # False: only servers that offer SMTPUTF8 take it


def normalise(text: str) -> Mailbox:
    """Tidy the text (spaces around it, full-width forms, case of the domain) and judge it.

    Refused with BadAddress: quoted local parts, comments, address literals, domains without a dot,
    control characters, anything over RFC 5321's lengths. No name server is asked.
    """
    plain = _PLAIN.fullmatch(text)
    if plain is None or len(text) > MAX_LENGTH or len(plain[1]) > MAX_LOCAL:
        return judge_fully(text)
    domain = _plain_domain(plain[2].lower())
    if not domain:
        raise BadAddress("not an address on the public Internet")
    address = f"{plain[1]}@{domain}"
    return Mailbox(address, address.lower(), domain, True)


@lru_cache(maxsize=4096)
def _plain_domain(domain: str) -> str:
    """Return the domain as mail is sent to it, empty where it takes none; a file has few of them."""
    try:
        return judge_fully(f"a@{domain}").domain
    except BadAddress:
        return ""


def judge_fully(text: str) -> Mailbox:
    """Do what `normalise` promises without its short cut for plain addresses."""
    tidy = _trimmed(text).translate(_FULL_WIDTH)
    if any(unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp") for char in tidy):
        raise BadAddress("control character")
    try:
        found = validate_email(
            tidy,
            check_deliverability=False,
            allow_quoted_local=False,
            allow_domain_literal=False,
            test_environment=True,
        )
        domain = found.ascii_domain or idna.encode(found.domain).decode()
    except (EmailNotValidError, idna.IDNAError) as error:
        raise BadAddress(str(error)) from error
    address = f"{found.local_part}@{domain.lower()}"
    if "." not in domain or len(address.encode()) > MAX_LENGTH or len(found.local_part.encode()) > MAX_LOCAL:
        raise BadAddress("not an address on the public Internet")
    return Mailbox(address, address.lower(), domain.lower(), address.isascii())


def _trimmed(text: str) -> str:
    """Take off the spaces around, and the marks of no width that are copied along with them."""
    before = None
    while before != text:
        before, text = text, text.strip().strip(_AROUND)
    return text
