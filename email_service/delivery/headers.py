"""Header fields that hold any text safely: one field stays one field."""

import base64
import hashlib
import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

from email_service.delivery.routing import recipient_domain

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_PRINTABLE = re.compile(r"[ -~]*")
_URL = re.compile(r"https?://[!-;=?-~]+")
_FIRST_WORD = 39  # octets of text in an encoded word that shares its line with the field's name
_WORD = 45
_PLAIN_LENGTH = 64
_CONTENT_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*")
_LOCAL = re.compile(r"""[^\s()<>\[\]:;@\\,"]+|"(?:[^"\\<>]|\\[^<>])*\"""")
_RESERVED_NAME = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")
_LONGEST_NAME = 120
_CHARSET = "utf-8''"


def neutral(text: str) -> str:
    """Turn line ends and control characters into blanks, so that the text cannot leave its field."""
    if _UNSAFE.search(text):
        text = _UNSAFE.sub(" ", text)
    return text.strip()


def encoded_words(text: str) -> bytes:
    """Encode as RFC 2047 words of at most 75 characters, each but the first on a line of its own."""
    octets = text.encode("utf-8", "replace")
    words: list[bytes] = []
    start = 0
    while start < len(octets):
        end = start + (_WORD if start else _FIRST_WORD)
        while end < len(octets) and octets[end] & 0xC0 == 0x80:
            end -= 1  # a character is never divided between two words
        words.append(b"=?utf-8?B?" + base64.b64encode(octets[start:end]) + b"?=")
        start = end
    return b"\r\n ".join(words)


def _is_plain(text: str) -> bool:
    return len(text) <= _PLAIN_LENGTH and _PRINTABLE.fullmatch(text) is not None and "=?" not in text


def subject_field(text: str) -> bytes:
    text = neutral(text)
    encoded = text.encode("ascii") if _is_plain(text) else encoded_words(text)
    return b"Subject: " + encoded + b"\r\n"


def from_field(address: str, alias: str) -> bytes:
    alias = neutral(alias)
    mailbox = address_octets(address)
    if not alias:
        return b"From: <" + mailbox + b">\r\n"
    if _is_plain(alias):
        quoted = alias.replace("\\", "\\\\").replace('"', '\\"')
        return b'From: "' + quoted.encode("ascii") + b'"\r\n <' + mailbox + b">\r\n"
    return b"From: " + encoded_words(alias) + b"\r\n <" + mailbox + b">\r\n"


def to_field(address: str) -> bytes:
    return b"To: <" + address_octets(address) + b">\r\n"


def address_octets(address: str) -> bytes:
    """Answer the address with its domain as A-labels; ValueError when it could not stand in a header."""
    local, at, _ = address.rpartition("@")
    if not at or len(address) > 320 or _UNSAFE.search(address) or not _LOCAL.fullmatch(local):
        raise ValueError(f"This is not one e-mail address: {address!r}.")
    return f"{local}@{recipient_domain(address)}".encode()


def date_field(moment: datetime) -> bytes:
    return _date_field(int(moment.timestamp()))


@lru_cache(maxsize=64)
def _date_field(second: int) -> bytes:
    return b"Date: " + format_datetime(datetime.fromtimestamp(second, UTC)).encode("ascii") + b"\r\n"


def mail_digest(message_id: int, accepted_at: datetime, domain: str) -> str:
    """What a message's Message-ID and boundaries are made of: the same at every attempt."""
    seed = f"{message_id} {accepted_at.timestamp():.6f} {domain}".encode()
    return hashlib.blake2b(seed, digest_size=12).hexdigest()


def message_id_header(message_id: int, accepted_at: datetime, from_address: str) -> str:
    """Answer the Message-ID a mail carries, angle brackets included."""
    domain = recipient_domain(from_address)
    return f"<{message_id}.{mail_digest(message_id, accepted_at, domain)}@{domain}>"


def unsubscribe_fields(url: str) -> bytes:
    """Answer List-Unsubscribe, and the field that promises one click where RFC 8058 allows it: by https.

    ValueError when the URL could not stand in a field.
    """
    if len(url) > 900 or not _URL.fullmatch(url):
        raise ValueError("The unsubscribe address is not a plain http(s) URL.")
    field = b"List-Unsubscribe: <" + url.encode("ascii") + b">\r\n"
    one_click = b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    return field + one_click if url.startswith("https:") else field


def content_type(given: str) -> str:
    """Answer the media type if an attachment may have it, else application/octet-stream."""
    media = given.strip().lower()
    if len(media) > 100 or not _CONTENT_TYPE.fullmatch(media) or media.startswith(("multipart/", "message/")):
        return "application/octet-stream"
    return media


def safe_file_names(names: Iterable[str]) -> list[str]:
    """Answer a harmless name for each file, none twice."""
    safe: list[str] = []
    taken: set[str] = set()
    for given in names:
        name = _safe_file_name(given)
        stem, dot, ending = name.rpartition(".")
        copy = 1
        while name.casefold() in taken:
            copy += 1
            name = f"{stem} ({copy}).{ending}" if dot else f"{ending} ({copy})"
        taken.add(name.casefold())
        safe.append(name)
    return safe


def _safe_file_name(given: str) -> str:
    name = unicodedata.normalize("NFC", re.split(r"[/\\]", given)[-1])
    # Format characters include the overrides that make "exe.txt" out of "txt.exe".
    name = "".join("_" if unicodedata.category(sign)[0] in "CZ" and sign != " " else sign for sign in name)
    name = re.sub(r'[<>:"|?*;]', "_", name).strip(" .")
    if _RESERVED_NAME.fullmatch(name):
        name = "_" + name
    if len(name) > _LONGEST_NAME:
        stem, dot, ending = name.rpartition(".")
        ending = dot + ending if stem and len(ending) <= 16 else ""
        name = name[: _LONGEST_NAME - len(ending)] + ending
    return name or "attachment"


def disposition_field(name: str) -> bytes:
    """Answer Content-Disposition with the file's name as RFC 2231 tells."""
    if len(name) <= 50 and re.fullmatch(r"[A-Za-z0-9._()' -]+", name):
        return f'Content-Disposition: attachment; filename="{name}"\r\n'.encode("ascii")
    octets = name.encode("utf-8", "replace")
    quoted = [
        chr(o) if chr(o).isascii() and (chr(o).isalnum() or o in b"._-") else f"%{o:02X}" for o in octets
    ]
    rows = ["".join(quoted[start : start + 18]) for start in range(0, len(quoted), 18)]
    if len(rows) == 1:
        return f"Content-Disposition: attachment;\r\n filename*=utf-8''{rows[0]}\r\n".encode("ascii")
    sections = [f" filename*{n}*={'' if n else _CHARSET}{row}" for n, row in enumerate(rows)]
    return ("Content-Disposition: attachment;\r\n" + ";\r\n".join(sections) + "\r\n").encode("ascii")
