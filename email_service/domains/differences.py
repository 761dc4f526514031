"""Where a published value departs from the expected one, in pieces that a page can mark."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import takewhile

# A key is one token, so that two keys are never taken for variations of each other letter by letter.
_TOKENS = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}|[\w-]+|\s+|.", re.DOTALL)
LONG = 40
_ENDS = {"same": 24, "extra": 32, "missing": 32}


class Kind(StrEnum):
    SAME = "same"
    EXTRA = "extra"  # published, but not expected
    MISSING = "missing"  # expected, but not published


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of characters; one that is long and says little is shortened in its middle."""

    text: str
    kind: Kind


def mark(expected: str, current: str, *, ignores_case: bool = False) -> tuple[Piece, ...]:
    """Return the current value in pieces, with what it lacks at the place where that belongs."""
    wanted, found = _TOKENS.findall(expected), _TOKENS.findall(current)
    fold = str.lower if ignores_case else str
    matcher = SequenceMatcher(None, [fold(item) for item in found], [fold(item) for item in wanted], False)
    pieces: list[tuple[str, Kind]] = []
    for operation, i1, i2, j1, j2 in matcher.get_opcodes():
        extra, missing = "".join(found[i1:i2]), "".join(wanted[j1:j2])
        if operation == "equal":
            pieces.append((extra, Kind.SAME))
        elif min(len(extra), len(missing)) > LONG:
            pieces += _within(extra, missing)
        else:
            pieces += [(extra, Kind.EXTRA), (missing, Kind.MISSING)]
    return tuple(Piece(_shortened(text, kind), kind) for text, kind in _joined(pieces))


def _within(extra: str, missing: str) -> Iterator[tuple[str, Kind]]:
    """Split two long values into their common ends, and what differs between them."""
    start = _shared(extra, missing)
    end = _shared(extra[start:][::-1], missing[start:][::-1])
    yield extra[:start], Kind.SAME
    yield extra[start : len(extra) - end], Kind.EXTRA
    yield missing[start : len(missing) - end], Kind.MISSING
    yield extra[len(extra) - end :], Kind.SAME


def _shared(one: str, other: str) -> int:
    return sum(1 for _same in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _joined(pieces: list[tuple[str, Kind]]) -> Iterator[tuple[str, Kind]]:
    """Join neighbours of one kind, and leave empty ones out."""
    text, kind = "", Kind.SAME
    for more, its_kind in pieces:
        if more and text and its_kind != kind:
            yield text, kind
            text = ""
        if more:
            text, kind = text + more, its_kind
    if text:
        yield text, kind


def _shortened(text: str, kind: Kind) -> str:
    ends = _ENDS[kind]
    return text if len(text) <= 2 * ends + 8 else f"{text[:ends]} … {text[-ends:]}"
