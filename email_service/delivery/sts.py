"""MTA-STS (RFC 8461), without a network: what the record and the policy say."""

import re
from dataclasses import dataclass

_RECORD = re.compile(r"v=STSv1;\s*id=([A-Za-z0-9]{1,32})\s*(;|$)")
_LONGEST = 31_557_600


@dataclass(frozen=True, slots=True)
class Policy:
    """What a domain promises about its servers; `enforce`: nothing else may get its mail."""

    mode: str = "none"
    patterns: tuple[str, ...] = ()
    max_age: int = 0

    @property
    def is_enforced(self) -> bool:
        return self.mode == "enforce"

    def covers(self, host: str) -> bool:
        """Say whether the policy names the server; a star stands for exactly one label on the left."""
        host = host.rstrip(".").lower()
        return any(
            host == pattern or (pattern.startswith("*.") and host.partition(".")[2] == pattern[2:])
            for pattern in self.patterns
        )


NO_POLICY = Policy()


def read_record(texts: list[str]) -> str:
    """Answer the id that the TXT records at `_mta-sts` give the policy, "" where there is none or several."""
    records = [text for text in texts if text.startswith("v=STSv1;")]
    found = _RECORD.match(records[0]) if len(records) == 1 else None
    return found[1] if found else ""


def read_policy(document: str) -> Policy | None:
    """Read a policy; None when it is none."""
    fields: dict[str, str] = {}
    patterns: list[str] = []
    for row in document.splitlines():
        key, colon, value = (part.strip() for part in row.partition(":"))
        if not colon:
            continue
        if key == "mx":
            patterns.append(value.rstrip(".").lower())
        else:
            fields.setdefault(key, value)
    mode, age = fields.get("mode", ""), fields.get("max_age", "")
    if fields.get("version") != "STSv1" or mode not in ("enforce", "testing", "none"):
        return None
    if not re.fullmatch(r"[0-9]{1,10}", age) or (mode != "none" and not patterns):
        return None
    return Policy(mode, tuple(patterns), min(int(age), _LONGEST))
