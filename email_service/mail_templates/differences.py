"""What changed between two texts: lines and the words inside them, unchanged stretches folded."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

AROUND = 2  # unchanged lines shown beside a change
MOST_LINES = 4000
MOST_WORDS = 600  # of a line that is compared word by word
_WORDS = re.compile(r"[A-Za-z0-9_]+|\s+|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Piece:
    text: str
    is_changed: bool


@dataclass(frozen=True, slots=True)
class Line:
    kind: str  # "same", "added", "removed"
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Lines that stand together; a folded one holds lines without a change near them."""

    lines: tuple[Line, ...]
    is_folded: bool


@dataclass(frozen=True, slots=True)
class Difference:
    stretches: tuple[Stretch, ...]
    added: int
    removed: int
    is_cut: bool  # the texts were too long to be compared to their ends

    @property
    def is_empty(self) -> bool:
        return not self.added and not self.removed


def difference(before: str, now: str) -> Difference:
    """Compare line by line; a line that was rewritten shows which of its words are new or gone."""
    old, new = before.splitlines(), now.splitlines()
    is_cut = len(old) > MOST_LINES or len(new) > MOST_LINES
    lines = list(_lines(old[:MOST_LINES], new[:MOST_LINES]))
    added = sum(line.kind == "added" for line in lines)
    removed = sum(line.kind == "removed" for line in lines)
    return Difference(tuple(_fold(lines)), added, removed, is_cut)


def _lines(old: Sequence[str], new: Sequence[str]) -> Iterator[Line]:
    for what, i, j, k, m in SequenceMatcher(None, old, new).get_opcodes():
        if what == "equal":
            yield from (_whole("same", text) for text in old[i:j])
        elif what == "replace" and j - i == m - k:
            pairs = [_words(gone, come) for gone, come in zip(old[i:j], new[k:m], strict=True)]
            yield from (Line("removed", gone) for gone, _come in pairs)
            yield from (Line("added", come) for _gone, come in pairs)
        else:
            yield from (_whole("removed", text) for text in old[i:j])
            yield from (_whole("added", text) for text in new[k:m])


def _whole(kind: str, text: str) -> Line:
    return Line(kind, (Piece(text, False),))


def _words(old: str, new: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Return both lines in pieces; two lines with little in common are not taken apart."""
    before, now = _WORDS.findall(old), _WORDS.findall(new)
    if max(len(before), len(now)) > MOST_WORDS:
        return (Piece(old, False),), (Piece(new, False),)
    match = SequenceMatcher(None, before, now, autojunk=False)
    if match.ratio() < 0.3:
        return (Piece(old, False),), (Piece(new, False),)
    gone, come = [], []
    for what, i, j, k, m in match.get_opcodes():
        if i < j:
            gone.append(Piece("".join(before[i:j]), what != "equal"))
        if k < m:
            come.append(Piece("".join(now[k:m]), what != "equal"))
    return tuple(gone), tuple(come)


def _fold(lines: list[Line]) -> Iterator[Stretch]:
    near = [False] * len(lines)
    for at, line in enumerate(lines):
        if line.kind != "same":
            for place in range(max(0, at - AROUND), min(len(lines), at + AROUND + 1)):
                near[place] = True
    start = 0
    for at in range(1, len(lines) + 1):
        if at == len(lines) or near[at] != near[start]:
            # One line folded away takes as much room as the line itself.
            yield Stretch(tuple(lines[start:at]), not near[start] and at - start > 1)
            start = at
