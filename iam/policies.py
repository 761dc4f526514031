"""Evaluate policy documents: pure, no database (PRODUCT.md section 11). Any Deny beats every Allow."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from django.utils.translation import gettext_noop

from iam.actions import ALIASES, PERMISSION_OF

Decision = Literal["allow", "deny", "implicit_deny"]
FULL_ACCESS: dict[str, Any] = {
    "Version": "1.1",
    "Statement": [{"Effect": "Allow", "Action": ["KooMessage:*:*"]}],
}
READ_ONLY: dict[str, Any] = {
    "Version": "1.1",
    "Statement": [{"Effect": "Allow", "Action": ["KooMessage:*:list", "KooMessage:*:get"]}],
}
SYSTEM_POLICIES = (
    (
        "KooMessage FullAccess",
        gettext_noop("Everything in the console, except managing users and their rights."),
        FULL_ACCESS,
    ),
    (
        "KooMessage ReadOnlyAccess",
        gettext_noop("Look at everything in the console, and change nothing."),
        READ_ONLY,
    ),
)
ANYTHING = "*"


@dataclass(frozen=True)
class Verdict:
    """A decision, and the number (from 0) of the document and statement that made it."""

    decision: Decision
    document: int | None = None
    statement: int | None = None


def evaluate(documents: Iterable[Any], action: str, resource: str = ANYTHING) -> Verdict:
    """Decide whether the documents allow the action on the resource; the default is deny.

    Matching is without regard to case; `*` matches within or across segments. The resource `*` asks for
    everything at once: a statement on some resources cannot allow that, and does deny it. A statement
    with a Condition, an unknown Effect or a shape that cannot be read allows nothing; a Deny denies all
    it names whatever its Condition says.
    """
    allowed: Verdict | None = None
    for number, document in enumerate(documents):
        for index, statement in enumerate(_statements(document)):
            if not _names_action(statement, action):
                continue
            effect = statement.get("Effect")
            if effect == "Deny" and (resource == ANYTHING or _names_resource(statement, resource)):
                return Verdict("deny", number, index)
            if effect == "Allow" and allowed is None and _allows(statement, resource):
                allowed = Verdict("allow", number, index)
    return allowed or Verdict("implicit_deny")


def held_actions(documents: Iterable[Any]) -> set[str]:
    """Return the actions of the console that the documents allow on everything."""
    known = list(documents)
    return {action for action in PERMISSION_OF if evaluate(known, action).decision == "allow"}


def named_actions(document: Any, effect: str) -> set[str]:
    """Return the actions that any statement of this effect names, whatever its resources and conditions."""
    return {
        action
        for statement in _statements(document)
        if statement.get("Effect") == effect
        for action in PERMISSION_OF
        if _names_action(statement, action)
    }


def is_known(pattern: str) -> bool:
    """Say whether an action as written in a policy names at least one action of the console."""
    return any(_names_action({"Action": pattern}, action) for action in PERMISSION_OF)


def _statements(document: Any) -> Iterator[Mapping[str, Any]]:
    statements = document.get("Statement") if isinstance(document, Mapping) else None
    # What is no statement keeps its place, so that the numbers in a verdict are those of the document.
    return (statement if isinstance(statement, Mapping) else {} for statement in _list(statements))


def _allows(statement: Mapping[str, Any], resource: str) -> bool:
    return not statement.get("Condition") and _names_resource(statement, resource)


def _names_action(statement: Mapping[str, Any], action: str) -> bool:
    spellings = _spellings(action)
    patterns = [_pattern(word) for word in _list(statement.get("Action")) if isinstance(word, str)]
    return any(pattern.fullmatch(spelling) for pattern in patterns for spelling in spellings)


def _names_resource(statement: Mapping[str, Any], resource: str) -> bool:
    words = _list(statement.get("Resource")) if "Resource" in statement else [ANYTHING]
    return any(_pattern(word).fullmatch(resource.lower()) for word in words if isinstance(word, str))


@lru_cache(maxsize=512)
def _spellings(action: str) -> tuple[str, ...]:
    """Return the action and every other name it goes by, in lower case."""
    lower = action.lower()
    head, _, operation = lower.rpartition(":")
    names = {alias.lower(): resource.lower() for alias, resource in ALIASES.items()}
    others = [alias for alias, resource in names.items() if resource == head]
    if head in names:
        others.append(names[head])
    return (lower, *(f"{other}:{operation}" for other in others))


@lru_cache(maxsize=4096)
def _pattern(word: str) -> re.Pattern[str]:
    lower = word.lower()
    if lower == "koomessage:fullaccess":
        lower = "koomessage:*:*"
    # Runs of stars mean one, and would make the matching slow.
    return re.compile(".*".join(re.escape(part) for part in re.split(r"\*+", lower)), re.DOTALL)


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
