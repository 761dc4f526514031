"""The demo's inbox on disk: one spool of whole mails, one index line per recipient, newest read first."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import policy
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

BLOCK = 64 * 1024


@dataclass(frozen=True)
class Entry:
    """One mail in one mailbox; `pk` is where its line starts in the index."""

    recipient: str
    sender: str  # of the envelope
    client: str
    subject: str
    from_header: str
    message_id: str
    received_at: datetime
    offset: int
    size: int
    is_utf8: bool = False
    pk: int = 0


class InboxWriter:
    """Appends mails; one process writes, any number read."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._spool = os.open(folder / "spool", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._index = os.open(folder / "index", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        size = os.fstat(self._index).st_size
        # A line cut short by a crash was never promised to anybody; the next one begins behind it.
        self._is_cut = bool(size) and (folder / "index").read_bytes()[-1:] != b"\n"

    def put(self, content: bytes, *, sender: str, recipients: list[str], client: str, is_utf8: bool) -> None:
        """Write the mail down; when this returns, it survives the end of the process."""
        # Asked each time: a write that failed half way may have left something.
        offset = os.fstat(self._spool).st_size
        _write(self._spool, content)
        heads = _heads(content)
        now = datetime.now(UTC).isoformat()
        for recipient in recipients:
            row = {
                "recipient": recipient, "sender": sender, "client": client, "subject": heads.get("subject", ""),
                "from_header": heads.get("from", ""), "message_id": heads.get("message-id", ""),
                "received_at": now, "offset": offset, "size": len(content), "is_utf8": is_utf8,
            }  # fmt: skip
            # A line of its own even after one that was cut short: readers skip empty lines.
            line = b"\n" * self._is_cut + json.dumps(row, ensure_ascii=False).encode() + b"\n"
            self._is_cut = True
            _write(self._index, line)
            self._is_cut = False

    def close(self) -> None:
        os.close(self._spool)
        os.close(self._index)


class Inbox:
    """Reads the inbox; a page costs what it shows, however many mails there are."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def count(self) -> int:
        try:
            with (self.folder / "index").open("rb") as index:
                return sum(block.count(b"\n") for block in iter(lambda: index.read(BLOCK), b""))
        except FileNotFoundError:
            return 0

    def newest(self, limit: int, *, before: int | None = None, matching: str = "") -> list[Entry]:
        """Return up to `limit` entries, newest first, from before the index position, of recipients like this."""
        found: list[Entry] = []
        needle = matching.strip().lower()
        for pk, line in _lines_backwards(self.folder / "index", before):
            entry = _entry(pk, line)
            if entry and needle in entry.recipient.lower():
                found.append(entry)
                if len(found) == limit:
                    break
        return found

    def get(self, pk: int) -> Entry | None:
        """Return the entry whose line starts there, None where none does."""
        try:
            with (self.folder / "index").open("rb") as index:
                if pk:
                    index.seek(pk - 1)
                    if index.read(1) != b"\n":
                        return None
                return _entry(pk, index.readline())
        except (OSError, OverflowError, ValueError):
            return None

    def content(self, entry: Entry) -> bytes:
        with (self.folder / "spool").open("rb") as spool:
            spool.seek(entry.offset)
            return spool.read(entry.size)

    def all(self) -> Iterator[Entry]:
        """Walk every entry, newest first."""
        for pk, line in _lines_backwards(self.folder / "index", None):
            entry = _entry(pk, line)
            if entry:
                yield entry


def as_row(entry: Entry) -> dict[str, Any]:
    """Return the entry as plain values, for JSON."""
    return {**asdict(entry), "received_at": entry.received_at.isoformat()}


def _write(target: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(target, view) :]


def _heads(content: bytes) -> dict[str, str]:
    """Return subject, sender and message id as people read them; a mail that cannot be parsed has none."""
    head = content[: content.find(b"\r\n\r\n") + 4] if b"\r\n\r\n" in content else content[:BLOCK]
    try:
        message = BytesHeaderParser(policy=policy.default).parsebytes(head)
        return {name: str(message[name] or "")[:400] for name in ("subject", "from", "message-id")}
    except (
        Exception
    ):  # the standard parser raises many kinds on hostile headers; the mail is kept all the same
        return {}


def _entry(pk: int, line: bytes) -> Entry | None:
    try:
        row = json.loads(line)
        return Entry(**{**row, "received_at": datetime.fromisoformat(row["received_at"]), "pk": pk})
    except (ValueError, TypeError, KeyError):
        return None


def _lines_backwards(path: Path, before: int | None) -> Iterator[tuple[int, bytes]]:
    """Yield (start, line) from the end of the file, or from `before`, to its beginning."""
    try:
        with path.open("rb") as index:
            size = index.seek(0, os.SEEK_END)
            position = size if before is None else max(0, min(before, size))
            rest = b""
            while position:
                step = min(BLOCK, position)
                position -= step
                index.seek(position)
                block = index.read(step) + rest
                lines = block.split(b"\n")
                # The first piece may have begun in an earlier block.
                rest = lines[0] if position else b""
                start = position + len(block)
                for line in reversed(lines[1:] if position else lines):
                    start -= len(line)
                    if line:
                        yield start, line
                    start -= 1
    except FileNotFoundError:
        return
