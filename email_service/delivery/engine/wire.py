"""The words of SMTP: replies, what EHLO offers, dot-stuffing, how long to wait."""

import re
from dataclasses import dataclass
from functools import lru_cache

_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)")
_LINE = re.compile(rb"([0-9]{3})(?:([ -])(.*?))?\r*", re.DOTALL)
_DOTTED = re.compile(rb"\n\.")  # almost never there, and found out sooner than by `in`
_LONGEST_TEXT = 1000


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait for each answer; RFC 5321 section 4.5.3.2 where it names one."""

    connect: float = 30.0
    greeting: float = 300.0
    hello: float = 300.0
    starttls: float = 120.0
    auth: float = 120.0
    mail: float = 300.0
    rcpt: float = 300.0
    data: float = 120.0
    block: float = 180.0
    dot: float = 600.0
    quit: float = 5.0


@dataclass(frozen=True, slots=True)
class Reply:
    code: int
    enhanced: str
    text: str
    lines: tuple[str, ...]

    @property
    def is_positive(self) -> bool:
        return 200 <= self.code < 300


# A server says the same few lines over and over.
@lru_cache(maxsize=256)
def read_line(row: bytes) -> tuple[int, bool, str] | None:
    """Answer a line's code, whether it is the reply's last, and its text; None when it is no reply."""
    found = _LINE.fullmatch(row)
    if found is None:
        return None
    return int(found[1]), found[2] != b"-", (found[3] or b"").decode("utf-8", "replace")


@lru_cache(maxsize=256)
def make_reply(code: int, lines: tuple[str, ...]) -> Reply:
    """Join a reply's lines; the enhanced code is taken from the first and left out of the text."""
    found = _ENHANCED.match(lines[0])
    enhanced = found[1] if found and 200 <= code < 600 else ""
    said = [row.removeprefix(enhanced).strip() if enhanced else row.strip() for row in lines]
    return Reply(code, enhanced, " ".join(said)[:_LONGEST_TEXT].strip(), lines)


@dataclass(frozen=True, slots=True)
class Features:
    """What the server offered in its answer to EHLO."""

    size: int = 0
    pipelining: bool = False
    starttls: bool = False
    utf8: bool = False
    auth: frozenset[str] = frozenset()


def read_features(reply: Reply) -> Features:
    size = 0
    words: set[str] = set()
    auth: set[str] = set()
    for row in reply.lines[1:]:
        keyword, _, rest = row.strip().upper().partition(" ")
        if keyword.startswith("AUTH="):
            keyword, rest = "AUTH", f"{keyword[5:]} {rest}"
        words.add(keyword)
        if keyword == "SIZE" and rest.strip().isdigit():
            size = int(rest)
        if keyword == "AUTH":
            auth.update(rest.split())
    return Features(
        size=size,
        pipelining="PIPELINING" in words,
        starttls="STARTTLS" in words,
        utf8="SMTPUTF8" in words,
        auth=frozenset(auth),
    )


def stuffed(mail: bytes) -> bytes:
    """Double the dots that begin a line, and end the last line; the final dot is not added."""
    if _DOTTED.search(mail) or mail.startswith(b"."):
        mail = mail.replace(b"\r\n.", b"\r\n..")
        if mail.startswith(b"."):
            mail = b"." + mail
    return mail if mail.endswith(b"\r\n") else mail + b"\r\n"
