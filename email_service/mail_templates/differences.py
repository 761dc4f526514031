"""What changed between two texts: lines and the words inside them, unchanged stretches folded."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

AROUND = 2  # unchanged lines shown beside a change
# Comparing costs the product of both lengths: these keep a text made for it from taking a reviewer's minute.
MOST_LINES = 1500  # that differ, between what is the same at the start and at the end
MOST_PAIRS = 2_000_000  # of words of rewritten lines, altogether
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
    start = _same_at_start(old, new)
    end = _same_at_start(old[start:][::-1], new[start:][::-1])
    gone, come = old[start : len(old) - end], new[start : len(new) - end]
    lines = [_whole("same", text) for text in old[:start]]
    lines += _lines(gone[:MOST_LINES], come[:MOST_LINES])
    lines += [_whole("same", text) for text in old[len(old) - end :]]
    added = sum(line.kind == "added" for line in lines)
    removed = sum(line.kind == "removed" for line in lines)
    is_cut = max(len(gone), len(come)) > MOST_LINES
    return Difference(tuple(_fold(lines)), added, removed, is_cut)


def _same_at_start(old: Sequence[str], new: Sequence[str]) -> int:
    pairs = zip(old, new, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(old), len(new)))


def _lines(old: Sequence[str], new: Sequence[str]) -> Iterator[Line]:
    left = MOST_PAIRS
    for what, i, j, k, m in SequenceMatcher(None, old, new).get_opcodes():
        if what == "equal":
            yield from (_whole("same", text) for text in old[i:j])
        elif what == "replace" and j - i == m - k:
            added = []
            for gone, come in zip(old[i:j], new[k:m], strict=True):
                before, now = _WORDS.findall(gone), _WORDS.findall(come)
                left -= len(before) * len(now)
                pieces = _words(before, now) if left > 0 else ((Piece(gone, False),), (Piece(come, False),))
                yield Line("removed", pieces[0])
                added.append(Line("added", pieces[1]))
            yield from added
        else:
            yield from (_whole("removed", text) for text in old[i:j])
            yield from (_whole("added", text) for text in new[k:m])


def _whole(kind: str, text: str) -> Line:
    return Line(kind, (Piece(text, False),))


def _words(before: list[str], now: list[str]) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Return both lines in pieces; two lines with little in common are not taken apart."""
    match = SequenceMatcher(None, before, now, autojunk=False)
    if match.ratio() < 0.3:
        return (Piece("".join(before), False),), (Piece("".join(now), False),)
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
