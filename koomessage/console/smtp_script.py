"""What a scripted SMTP server is to do, read from a small JSON file (docs/smtp_peer.md describes it)."""

import json
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from koomessage.console.smtp_peer import Action, Cut, Drip, KeepAndCut, Say, Session, Wait

STAGES = ("banner", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "body", "dot", "quit")
DEEDS = ("accept", "reply", "delay", "tarpit", "greylist", "throttle", "cut", "keep_and_cut")
FEATURES = ["PIPELINING", "8BITMIME", "SMTPUTF8"]
GREYLISTED = "451 4.7.1 Greylisted, try again later"
THROTTLED = "421 4.7.0 Too many messages, slow down"
# What may stand beside "at" and "do", with its type; those marked must.
_MATCHES: dict[str, Any] = {
    "recipient": str,
    "sender": str,
    "first": int,
    "every": int,
    "chance": (int, float),
}
_NEEDS: dict[str, dict[str, Any]] = {
    "accept": {},
    "reply": {"reply": str},
    "delay": {"seconds": (int, float)},
    "tarpit": {"seconds": (int, float)},
    "greylist": {"seconds": (int, float)},
    "throttle": {"per_minute": int},
    "cut": {},
    "keep_and_cut": {},
}
_MAY: dict[str, dict[str, Any]] = {
    "greylist": {"reply": str},
    "throttle": {"reply": str},
    "cut": {"after": int},
    "keep_and_cut": {"after": int},
}


class BadScript(ValueError):
    """The file is no script; says which rule is wrong, and how."""


@dataclass
class Rule:
    """One line of a script, and what it remembers."""

    at: str
    do: str
    words: dict[str, Any]
    met: int = 0
    first_seen: dict[tuple[str, str], float] = field(default_factory=dict)
    recent: deque[float] = field(default_factory=deque)

    def fits(self, session: Session, stage: str, argument: str, chance: Callable[[], float]) -> bool:
        if stage != self.at:
            return False
        recipient = argument[9:].rstrip(">") if stage == "rcpt" else session.recipient
        for name, value in (("recipient", recipient), ("sender", session.sender)):
            if name in self.words and not fnmatchcase(value.lower(), self.words[name].lower()):
                return False
        self.met += 1
        if "first" in self.words and self.met > self.words["first"]:
            return False
        if "every" in self.words and self.met % self.words["every"]:
            return False
        return "chance" not in self.words or chance() < self.words["chance"]

    def action(self, session: Session, argument: str, now: float) -> Action:
        words = self.words
        simple: dict[str, Callable[[], Action]] = {
            "accept": lambda: None,
            "reply": lambda: Say(words["reply"]),
            "delay": lambda: Wait(words["seconds"]),
            "tarpit": lambda: Drip(words["seconds"]),
            "greylist": lambda: self._greylist(session, argument, now),
            "throttle": lambda: self._throttle(now),
            "cut": lambda: Cut(words.get("after", 0)),
            "keep_and_cut": lambda: KeepAndCut(words.get("after", 0)),
        }
        return simple[self.do]()

    def _greylist(self, session: Session, argument: str, now: float) -> Action:
        """Refuse each pair of sender and recipient until it has been known for a while."""
        seen = self.first_seen.setdefault((session.sender, argument or session.recipient), now)
        return None if now - seen >= self.words["seconds"] else Say(self.words.get("reply", GREYLISTED))

    def _throttle(self, now: float) -> Action:
        """Let so many through in any minute, and refuse the others."""
        while self.recent and now - self.recent[0] >= 60:
            self.recent.popleft()
        if len(self.recent) >= self.words["per_minute"]:
            return Say(self.words.get("reply", THROTTLED))
        self.recent.append(now)
        return None


class JsonScript:
    """A `Script`: the first rule that fits decides; where none does, everything is accepted."""

    def __init__(self, content: dict[str, Any], clock: Callable[[], float] = time.monotonic) -> None:
        unknown = set(content) - {"features", "starttls", "rules", "seed"}
        if unknown:
            raise BadScript(f"A script has no {', '.join(sorted(unknown))}.")
        self.features = tuple(_words(content.get("features", FEATURES)))
        self.has_starttls = content.get("starttls", False) is True
        self.rules = [_rule(number, row) for number, row in enumerate(content.get("rules", []), start=1)]
        self._clock = clock
        self._random = random.Random(content.get("seed"))  # noqa: S311 - chance, no secret

    def __call__(self, session: Session, stage: str, argument: str) -> Action:
        for rule in self.rules:
            if rule.fits(session, stage, argument, self._random.random):
                return rule.action(session, argument, self._clock())
        return None


def read_script(path: Path) -> JsonScript:
    """Raises BadScript with a sentence for whoever wrote the file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadScript(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise BadScript("A script is a JSON object with features, starttls, rules.")
    return JsonScript(content)


def _words(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise BadScript('"features" is a list of words as EHLO says them.')
    return value


def _rule(number: int, row: Any) -> Rule:
    if not isinstance(row, dict):
        raise BadScript(f"Rule {number} is no JSON object.")
    words = dict(row)
    at, do = words.pop("at", None), words.pop("do", None)
    if at not in STAGES:
        raise BadScript(f'Rule {number}: "at" is one of {", ".join(STAGES)}.')
    if do not in DEEDS:
        raise BadScript(f'Rule {number}: "do" is one of {", ".join(DEEDS)}.')
    if at == "body" and do not in ("accept", "cut", "reply"):
        raise BadScript(f"Rule {number}: in a body one can only accept, cut or reply.")
    needs, may = _NEEDS[do], {**_MATCHES, **_MAY.get(do, {})}
    missing = [name for name in needs if name not in words]
    if missing:
        raise BadScript(f"Rule {number}: {do} needs {', '.join(missing)}.")
    for name, value in words.items():
        kind = {**may, **needs}.get(name)
        if kind is None:
            raise BadScript(f"Rule {number}: {do} knows no {name}.")
        if not isinstance(value, kind) or isinstance(value, bool) or (kind is not str and value < 0):
            raise BadScript(f"Rule {number}: {name} is odd: {value!r}.")
    if words.get("every") == 0:
        raise BadScript(f"Rule {number}: every is odd: 0.")
    return Rule(at, do, words)
