"""Evaluate policy documents: pure, no database (PRODUCT.md section 11). Any Deny beats every Allow."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from iam.actions import ALIASES

Decision = Literal["allow", "deny", "implicit_deny"]
FULL_ACCESS: dict[str, Any] = {
    "Version": "1.1",
    "Statement": [{"Effect": "Allow", "Action": ["KooMessage:*:*"]}],
}
READ_ONLY: dict[str, Any] = {
    "Version": "1.1",
    "Statement": [{"Effect": "Allow", "Action": ["KooMessage:*:list", "KooMessage:*:get"]}],
}


@dataclass(frozen=True)
class Verdict:
    """A decision, and the number (from 0) of the document and statement that made it."""

    decision: Decision
    document: int | None = None
    statement: int | None = None


def evaluate(documents: Iterable[dict[str, Any]], action: str, resource: str = "*") -> Verdict:
    """Decide whether the documents allow the action on the resource; the default is deny.

    Matching is without regard to case; `*` matches within or across segments. A statement with a
    Condition, an unknown Effect or a shape that cannot be read allows nothing, and denies all it names.
    """
    allowed: Verdict | None = None
    for number, document in enumerate(documents):
        for index, statement in enumerate(_list(document.get("Statement"))):
            if not isinstance(statement, dict) or not _names(statement, action, resource):
                continue
            if statement.get("Effect") == "Deny":
                return Verdict("deny", number, index)
            if statement.get("Effect") == "Allow" and not statement.get("Condition") and allowed is None:
                allowed = Verdict("allow", number, index)
    return allowed or Verdict("implicit_deny")


def _names(statement: dict[str, Any], action: str, resource: str) -> bool:
    actions = (_canonical(str(word)) for word in _list(statement.get("Action")))
    resources = _list(statement.get("Resource")) or ["*"]
    return any(_pattern(word).fullmatch(action.lower()) for word in actions) and any(
        _pattern(str(word)).fullmatch(resource.lower()) for word in resources
    )


def _canonical(action: str) -> str:
    if action.lower() == "koomessage:fullaccess":
        return "koomessage:*:*"
    head, _, operation = action.rpartition(":")
    for alias, resource in ALIASES.items():
        if head.lower() == alias.lower():
            return f"{resource}:{operation}"
    return action


@lru_cache(maxsize=4096)
def _pattern(word: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in word.lower().split("*")), re.DOTALL)


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
