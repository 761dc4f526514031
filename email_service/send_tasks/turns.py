"""Whose turn it was when a worker died: eight bytes beside its journal, written before a message's mail is made."""

import os
import struct
from pathlib import Path


class Note:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def write(self, message_id: int) -> None:
        os.pwrite(self._file, struct.pack("<q", message_id), 0)

    def close(self, *, keep: bool) -> None:
        os.close(self._file)
        if not keep:
            self.path.unlink(missing_ok=True)


def beside(journal: Path) -> Path:
    return journal.with_suffix(".turn")


def crashed_over(note: Path) -> int:
    """Return the message whose mail was being made, 0 for none."""
    try:
        return struct.unpack("<q", note.read_bytes()[:8])[0]
    except (FileNotFoundError, struct.error):
        return 0
