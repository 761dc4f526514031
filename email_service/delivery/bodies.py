"""Text parts encoded to seven bits: what is common once, what is personal per recipient.

Both encodings are canonical for DKIM's relaxed body rule as they stand (no run of blanks, none
at a line's end) and begin no line with a dot, so signing and dot-stuffing find nothing to do.
"""

import binascii
import re
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Protocol

from email_service.delivery.slots import Slotted

_LINE = 76
_RAW_LINE = 57  # octets that make one base64 line of 76 characters
_SHORT = 25  # octets that fill a line when all are quoted
_SOFT_BREAK = b"=\r\n"
_NEWLINES = re.compile(r"\r\n|\r|\n")
# A value that quoted-printable leaves as it is.
_PLAIN = re.compile(r"(?!\.|From )[!-<>-~]+(?: [!-<>-~]+)*")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SIGNS = [chr(b) if 32 <= b <= 126 and b != 61 else f"={b:02X}" for b in range(256)]


class Body(Protocol):
    encoding: str

    def render(self, values: Sequence[str]) -> bytes:
        """Answer the encoded part without a line end after it."""


def tidy(text: str) -> str:
    """Give the text CRLF line ends and drop the control characters mail may not carry."""
    if _CONTROLS.search(text):
        text = _CONTROLS.sub("", text)
    if "\n" in text or "\r" in text:
        text = _NEWLINES.sub("\r\n", text)
    return text


def quoted_printable(text: str) -> bytes:
    """Encode tidied text; the caller puts the soft breaks between pieces."""
    if len(text) < _LINE and _PLAIN.fullmatch(text):
        return text.encode("ascii")
    if len(text) <= _SHORT and text.isalnum():
        octets = text.encode("utf-8", "replace")
        if len(octets) <= _SHORT:
            return b"=" + octets.hex("=").upper().encode("ascii")
    return b"\r\n".join(_quoted_line(line) for line in text.encode("utf-8", "replace").split(b"\r\n"))


def _quoted_line(line: bytes) -> bytes:
    signs = [_SIGNS[octet] for octet in line]
    if line.startswith(b"From "):
        signs[0] = "=46"  # some stores would write ">From" and break the signature
    for place, sign in enumerate(signs):
        if sign == " " and (place + 1 == len(signs) or (place > 0 and signs[place - 1] == " ")):
            signs[place] = "=20"
    rows: list[str] = []
    row = ""
    for sign in signs:
        if len(row) + len(sign) >= _LINE:
            rows.append(row + "=")
            row = ""
        row += "=2E" if sign == "." and not row else sign
    rows.append(row)
    return "\r\n".join(rows).encode("ascii")


class QuotedPrintableBody:
    """For text that is mostly ASCII: each value stands on lines of its own between soft breaks."""

    encoding = "quoted-printable"

    def __init__(self, slotted: Slotted, escape: Callable[[str], str] | None) -> None:
        self._escape = escape
        self._used = sorted(set(slotted.holes))
        place = {hole: number for number, hole in enumerate(self._used)}
        self._pieces: list[bytes] = []
        order: list[int] = []
        last = len(slotted.pieces) - 1
        for number, piece in enumerate(slotted.pieces):
            order.append(len(self._used) + number)
            self._pieces.append(_between_breaks(piece, first=number == 0, last=number == last))
            if number < last:
                order.append(place[slotted.holes[number]])
        self._pick = itemgetter(*order) if len(order) > 1 else None

    def render(self, values: Sequence[str]) -> bytes:
        if self._pick is None:
            return self._pieces[0]
        encoded = [quoted_printable(_filled(values[hole], self._escape)) for hole in self._used]
        return b"".join(self._pick(encoded + self._pieces))


def _filled(value: str, escape: Callable[[str], str] | None) -> str:
    """Make a value fit to stand in the text."""
    if value.isalnum():
        return value  # letters and digits need no care, and most values are nothing else
    return tidy(escape(value) if escape else value)


def _between_breaks(piece: str, *, first: bool, last: bool) -> bytes:
    encoded = quoted_printable(piece)
    if not first and not piece.startswith("\r\n") and not (last and not piece):
        encoded = _SOFT_BREAK + encoded
    if not last and piece and not piece.endswith("\r\n"):
        encoded += _SOFT_BREAK
    return encoded


class Base64Body:
    """For text that is mostly not ASCII: common pieces are kept encoded at each of three alignments."""

    encoding = "base64"

    def __init__(self, slotted: Slotted, escape: Callable[[str], str] | None) -> None:
        self._escape = escape
        self._holes = slotted.holes
        raw = [piece.encode("utf-8", "replace") for piece in slotted.pieces]
        self._pieces = [tuple(_aligned(piece, offset) for offset in range(3)) for piece in raw]

    def render(self, values: Sequence[str]) -> bytes:
        rows: list[bytes] = []
        pending = b""
        for number, alignments in enumerate(self._pieces):
            head, middle, tail = alignments[len(pending) % 3]
            pending += head
            if middle:
                if pending:
                    rows.append(base64_lines(pending))
                rows.append(middle)
                pending = tail
            if number < len(self._holes):
                pending += _filled(values[self._holes[number]], self._escape).encode("utf-8", "replace")
        if pending:
            rows.append(base64_lines(pending))
        return b"".join(rows)[:-2]


def _aligned(piece: bytes, offset: int) -> tuple[bytes, bytes, bytes]:
    """Split a piece that starts `offset` octets into a group: completes it, whole groups, left over."""
    start = -offset % 3
    whole = (len(piece) - start) // 3 * 3
    if whole <= 0:
        return piece, b"", b""
    return piece[:start], base64_lines(piece[start : start + whole]), piece[start + whole :]


def base64_lines(raw: bytes) -> bytes:
    """Encode in lines of at most 76 characters, each ended by CRLF."""
    if len(raw) <= _RAW_LINE:
        return binascii.b2a_base64(raw, newline=False) + b"\r\n"
    rows = (
        binascii.b2a_base64(raw[start : start + _RAW_LINE], newline=False)
        for start in range(0, len(raw), _RAW_LINE)
    )
    return b"\r\n".join(rows) + b"\r\n"


def encode_body(slotted: Slotted, *, escape: Callable[[str], str] | None = None) -> Body:
    """Choose the encoding that makes the common text shorter. `slotted` is cut from tidied text."""
    common = "".join(slotted.pieces).encode("utf-8", "replace")
    odd = sum(1 for octet in common if octet > 126 or octet == 61)
    if odd * 2 > len(common) * 0.37:
        return Base64Body(slotted, escape)
    return QuotedPrintableBody(slotted, escape)
