"""The records that the demo's DNS server answers from: one JSON file, replaced whole at each change."""

import json
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock

KINDS = ("TXT", "CNAME", "MX", "A", "AAAA", "NS")


@dataclass(frozen=True)
class ZoneRecord:
    """One record; `name` without the last dot, `*` as first label answers for every name below."""

    kind: str
    name: str
    value: str
    origin: str = "hand"  # hand, domain (published from 验证详情) or platform
    id: str = ""


def platform_records(
    *, zone: str, mx: str, spf: str, dmarc: str, tracking: str, bounce: str
) -> list[ZoneRecord]:
    """Return what the platform itself publishes, so that what tenants' records point to exists."""
    sends = "v=spf1 ip4:127.0.0.1 ip6:::1 -all"
    policy = "v=DMARC1; p=none; adkim=r; aspf=r"
    found = [
        ("A", zone, "127.0.0.1"),
        ("MX", zone, f"10 {mx}"),
        ("TXT", zone, sends),
        ("A", mx, "127.0.0.1"),
        ("TXT", spf, sends),
        ("TXT", dmarc, policy),
        ("A", tracking, "127.0.0.1"),
        ("A", f"*.{tracking}", "127.0.0.1"),
        ("MX", bounce, f"10 {mx}"),
        ("TXT", bounce, f"v=spf1 include:{spf} -all"),
    ]
    return [ZoneRecord(kind, name, value, "platform") for kind, name, value in found]


def load(path: Path) -> list[ZoneRecord]:
    """Read the zone; a file that is not there is an empty zone."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return [ZoneRecord(**row) for row in rows]


def add(path: Path, record: ZoneRecord) -> bool:
    """Add a record; False where the zone holds it already."""
    with _changing(path) as rows:
        if any(_same(row, record) for row in rows):
            return False
        _make_room(rows, record)
        rows.append(_named(record))
        return True


def remove(path: Path, record_id: str) -> bool:
    """Take a record out; the platform's own stay, and False says that nothing was taken out."""
    with _changing(path) as rows:
        kept = [row for row in rows if row.id != record_id or row.origin == "platform"]
        is_gone = len(kept) < len(rows)
        rows[:] = kept
        return is_gone


def publish(path: Path, records: Iterable[ZoneRecord]) -> int:
    """Put records in, each in place of what stands under its name and would contradict it; say how many."""
    changed = 0
    with _changing(path) as rows:
        for record in records:
            if any(_same(row, record) for row in rows):
                continue
            _make_room(rows, record)
            rows[:] = [row for row in rows if row.origin == "platform" or not _contradicts(row, record)]
            rows.append(_named(record))
            changed += 1
    return changed


def put_platform(path: Path, records: Iterable[ZoneRecord]) -> None:
    """Replace the platform's own records, and keep everybody else's."""
    with _changing(path) as rows:
        rows[:] = [_named(record) for record in records] + [row for row in rows if row.origin != "platform"]


@contextmanager
def _changing(path: Path) -> Iterator[list[ZoneRecord]]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock"):
        rows = load(path)
        before = list(rows)
        yield rows
        if rows != before:
            # Replaced whole: the server never reads half a zone.
            fresh = path.with_suffix(f".{os.getpid()}.new")
            fresh.write_text(
                json.dumps([asdict(row) for row in rows], indent=1, ensure_ascii=False), encoding="utf-8"
            )
            fresh.replace(path)


def _named(record: ZoneRecord) -> ZoneRecord:
    return ZoneRecord(
        record.kind, record.name.rstrip(".").lower(), record.value, record.origin, secrets.token_hex(6)
    )


def _same(row: ZoneRecord, record: ZoneRecord) -> bool:
    return (row.kind, row.name, row.value) == (record.kind, record.name.rstrip(".").lower(), record.value)


def _make_room(rows: list[ZoneRecord], record: ZoneRecord) -> None:
    """A name with a CNAME has nothing else (RFC 1034), whichever of the two comes later."""
    name = record.name.rstrip(".").lower()
    rows[:] = [
        row
        for row in rows
        if row.origin == "platform" or row.name != name or (row.kind != "CNAME" and record.kind != "CNAME")
    ]


def _contradicts(row: ZoneRecord, record: ZoneRecord) -> bool:
    """One MX, one SPF and one DKIM record a name is what 验证详情 asks for."""
    if (row.kind, row.name) != (record.kind, record.name.rstrip(".").lower()):
        return False
    return (
        record.kind != "TXT"
        or row.value.split(" ")[0].split(";")[0] == record.value.split(" ")[0].split(";")[0]
    )
