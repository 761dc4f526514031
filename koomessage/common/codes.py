"""Short IDs that people read, search and tell each other."""

import secrets


def short_id(prefix: str) -> str:
    """Return the prefix and eight random digits, e.g. "C52970475"; the caller's column is unique."""
    return f"{prefix}{secrets.randbelow(90_000_000) + 10_000_000}"
