"""Whose turn it was when a worker died: a few bytes beside its journal, written before a message's mail is made.

Several mails may be in the making, one in the sending thread and those that are signed ahead: each has its place.
"""

import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PLACES = 8
_SIZE = 8 * _PLACES


class Note:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._free = list(range(1, _PLACES))
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.pwrite(descriptor, bytes(_SIZE), 0)
            # A page shared with the file: a write costs no call of the system, and outlives the process.
            self._page = mmap.mmap(descriptor, _SIZE)
        finally:
            os.close(descriptor)

    def write(self, message_id: int, place: int = 0) -> None:
        struct.pack_into("<q", self._page, 8 * place, message_id)

    @contextmanager
    def holding(self, message_id: int) -> Iterator[None]:
        """Note the message in a place of its own while another thread works on its mail."""
        place = self._free.pop()
        self.write(message_id, place)
        try:
            yield
        finally:
            self.write(0, place)
            self._free.append(place)

    def close(self, *, keep: bool) -> None:
        self._page.close()
        if not keep:
            self.path.unlink(missing_ok=True)


def beside(journal: Path) -> Path:
    return journal.with_suffix(".turn")


def crashed_over(note: Path) -> frozenset[int]:
    """Return the messages whose mails were being made."""
    try:
        octets = note.read_bytes()[:_SIZE]
        return frozenset(struct.unpack(f"<{len(octets) // 8}q", octets[: len(octets) // 8 * 8])) - {0}
    except FileNotFoundError:
        return frozenset()
