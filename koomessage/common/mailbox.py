"""THE judge of e-mail addresses: for forms, rows of files and the API alike."""

import unicodedata
from dataclasses import dataclass

import idna
from email_validator import EmailNotValidError, validate_email

MAX_LENGTH = 254  # RFC 5321 section 4.5.3.1.3, less the angle brackets
_FULL_WIDTH = str.maketrans("＠．。｡", "@...")


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
    """Tidy the text (spaces around it, full-width @ and dots, case of the domain) and judge it.

    Refused with BadAddress: quoted local parts, comments, address literals, domains without a dot,
    control characters, anything over RFC 5321's lengths. No name server is asked.
    """
    tidy = text.strip().strip("\u3000\u200b\ufeff").translate(_FULL_WIDTH)
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
    if "." not in domain or len(address.encode()) > MAX_LENGTH or len(found.local_part.encode()) > 64:
        raise BadAddress("not an address on the public Internet")
    return Mailbox(address, address.lower(), domain.lower(), address.isascii())
