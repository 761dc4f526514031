"""A text cut once at its {{slots}}, so that every recipient costs one join."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

UNSUBSCRIBE_SLOT = "{{:unsubscribe:}}"
UNSUBSCRIBE = ":unsubscribe:"

# A reserved name stands between colons, which no parameter's name can hold.
_SLOT = re.compile(r"\{\{[ \t]*([A-Za-z][A-Za-z0-9_]*|:[a-z0-9_]+:)[ \t]*\}\}")


@dataclass(frozen=True, slots=True)
class Slotted:
    """`pieces` has one more member than `holes`; a hole is the position of its value."""

    pieces: tuple[str, ...]
    holes: tuple[int, ...]

    def fill(self, values: Sequence[str]) -> str:
        """Join in one pass: a value that itself looks like a slot stays as it is."""
        filled = [self.pieces[0]]
        for hole, piece in zip(self.holes, self.pieces[1:], strict=True):
            filled.append(values[hole])
            filled.append(piece)
        return "".join(filled)


def cut_at_slots(text: str, positions: Mapping[str, int]) -> Slotted:
    """Cut the text at its slots; ValueError names a slot that has no position."""
    found = _SLOT.split(text)
    unknown = [name for name in found[1::2] if name not in positions]
    if unknown:
        raise ValueError(f"The text has a slot nothing fills: {{{{{unknown[0]}}}}}.")
    return Slotted(tuple(found[0::2]), tuple(positions[name] for name in found[1::2]))
