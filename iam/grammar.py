"""Read a policy document as a person wrote it: pure; what is wrong is said as a sentence with its place."""

import json
import re
from typing import Any

from django.utils.translation import gettext as _

from iam.policies import is_known
from koomessage.common.errors import RuleViolation

VERSION = "1.1"
MAX_BYTES = 6144
MAX_STATEMENTS = 8
MAX_ACTIONS = 100
MAX_CONDITIONS = 10
MAX_RESOURCES = 100
ACTION = re.compile(r"[A-Za-z*][A-Za-z0-9_*]*(:[A-Za-z*][A-Za-z0-9_*]*){2}")
KEYS = ("Effect", "Action", "Resource", "Condition")


def parse(text: str) -> dict[str, Any]:
    """Return the document, every single string made a list of one; RuleViolation names what is wrong where."""
    if len(text.encode()) > MAX_BYTES:
        raise _bad(_("The policy is longer than %(limit)s bytes; split it in two.") % {"limit": MAX_BYTES})
    try:
        document = json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        place = {"line": error.lineno, "column": error.colno}
        raise _bad(_("This is not valid JSON: look at line %(line)s, column %(column)s.") % place) from error
    except RecursionError as error:
        raise _bad(_("The policy is nested too deeply.")) from error
    if not isinstance(document, dict):
        raise _bad(_("A policy is a JSON object with Version and Statement."))
    _only(document, ("Version", "Statement"), _("the policy"))
    if document.get("Version") != VERSION:
        raise _bad(_("Version must be “1.1”."))
    statements = document.get("Statement")
    if not isinstance(statements, list) or not 1 <= len(statements) <= MAX_STATEMENTS:
        raise _bad(_("Statement must be a list of 1 to %(limit)s statements.") % {"limit": MAX_STATEMENTS})
    return {
        "Version": VERSION,
        "Statement": [_statement(item, f"Statement[{i}]") for i, item in enumerate(statements)],
    }


def _statement(statement: Any, place: str) -> dict[str, Any]:
    if not isinstance(statement, dict):
        raise _bad(_("%(place)s must be a JSON object.") % {"place": place})
    _only(statement, KEYS, place)
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise _bad(_("%(place)s needs an Effect, either “Allow” or “Deny”.") % {"place": place})
    read = {
        "Effect": statement["Effect"],
        "Action": _strings(statement.get("Action"), f"{place}.Action", MAX_ACTIONS),
    }
    for index, action in enumerate(read["Action"]):
        _judge_action(action, f"{place}.Action[{index}]")
    if "Resource" in statement:
        read["Resource"] = _strings(statement["Resource"], f"{place}.Resource", MAX_RESOURCES)
    if "Condition" in statement:
        read["Condition"] = _conditions(statement["Condition"], f"{place}.Condition")
    return read


def _judge_action(action: str, place: str) -> None:
    values = {"place": place, "action": action}
    if action != "*" and action.lower() != "koomessage:fullaccess" and not ACTION.fullmatch(action):
        raise _bad(_("%(place)s: “%(action)s” is not written service:resource:operation.") % values)
    if not is_known(action):
        raise _bad(_("%(place)s: “%(action)s” names no action of this console.") % values)


def _conditions(conditions: Any, place: str) -> dict[str, dict[str, list[str]]]:
    if not isinstance(conditions, dict) or not all(isinstance(tests, dict) for tests in conditions.values()):
        raise _bad(_("%(place)s must hold operators, each with keys and their values.") % {"place": place})
    if not 1 <= sum(len(tests) for tests in conditions.values()) <= MAX_CONDITIONS:
        values = {"place": place, "limit": MAX_CONDITIONS}
        raise _bad(_("%(place)s must hold 1 to %(limit)s conditions.") % values)
    return {
        operator: {
            key: _strings(value, f"{place}.{operator}.{key}", MAX_RESOURCES) for key, value in tests.items()
        }
        for operator, tests in conditions.items()
    }


def _strings(value: Any, place: str, limit: int) -> list[str]:
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(item, str) and item for item in found):
        raise _bad(_("%(place)s must be a string or a list of strings.") % {"place": place})
    if not 1 <= len(found) <= limit:
        raise _bad(_("%(place)s must hold 1 to %(limit)s entries.") % {"place": place, "limit": limit})
    return found


def _only(found: dict[str, Any], known: tuple[str, ...], place: str) -> None:
    for key in found:
        if key not in known:
            values = {"place": place, "key": key, "known": ", ".join(known)}
            raise _bad(_("“%(key)s” in %(place)s is not understood; use %(known)s.") % values)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key written twice: JSON readers keep one of the two, and which is not what a person expects."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _bad(_("“%(key)s” is written twice in one object.") % {"key": key})
        found[key] = value
    return found


def _bad(message: str) -> RuleViolation:
    return RuleViolation(message, field="document")
