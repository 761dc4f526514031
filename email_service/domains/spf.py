"""What an SPF record costs those who evaluate it (RFC 7208, section 4.6.4), and what it should read."""

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

MAX_LOOKUPS = 10
MAX_VOIDS = 2
MAX_MAIL_SERVERS = 10
MAX_FOLLOWED = 40  # look-ups after which a hopeless record is counted no further
_TERM = re.compile(r"[+?~-]?(include|a|mx|ptr|exists|redirect)(?:[:=]([^/\s]+))?(?:/.*)?")
_EVERYTHING = re.compile(r"[+?~-]?all")


@dataclass(frozen=True, slots=True)
class Question:
    """What must be asked to go on counting; the answer is its values, or None where none came."""

    name: str
    kind: str


@dataclass(slots=True)
class Cost:
    """What evaluating the record takes; `is_partial` where a question stayed without an answer."""

    lookups: int = 0
    voids: list[str] = field(default_factory=list)
    circle: tuple[str, ...] = ()
    missing: str = ""
    crowded: str = ""
    is_partial: bool = False


Walk = Generator[Question, "tuple[str, ...] | None", None]


def count(domain: str, text: str, *, trusted: str) -> Generator[Question, "tuple[str, ...] | None", Cost]:
    """Yield what must be looked up to know the record's cost, and return the cost.

    What stands behind `trusted`, the platform's own include, costs look-ups like any other, but where it
    is not published no tenant is blamed.
    """
    cost = Cost()
    yield from _follow(text, (_name(domain),), cost, _name(trusted))
    return cost


def is_policy(text: str) -> bool:
    return re.match(r"v=spf1( |$)", text.strip(), re.IGNORECASE) is not None


def corrected(policies: Sequence[str], include: str) -> str:
    """Return one record that says what these say, and includes the platform before `all`."""
    wanted, ending, terms = f"include:{include}", "~all", []
    for number, policy in enumerate(policies):
        for term in policy.split()[1:]:
            if _EVERYTHING.fullmatch(term.lower()):
                ending = term if number == 0 else ending
            elif term.lower().rstrip(".").removeprefix("+") != wanted.lower() and term not in terms:
                terms.append(term)
    # A redirect counts only where there is no `all`, so its target becomes an include.
    terms = [re.sub(r"(?i)^redirect=", "include:", term) for term in terms]
    return " ".join(["v=spf1", *terms, wanted, ending])


def _follow(text: str, path: tuple[str, ...], cost: Cost, trusted: str) -> Walk:
    for kind, target in _terms(text):
        cost.lookups += 1
        if cost.lookups > MAX_FOLLOWED:
            return
        name = _name(target) or path[-1]
        if kind == "ptr" or "%" in name:  # depends on the mail; counted, but not to be followed
            continue
        if kind in ("include", "redirect"):
            yield from _follow_policy(name, path, cost, trusted)
        else:
            yield from _look_at_hosts(kind, name, cost)


def _follow_policy(name: str, path: tuple[str, ...], cost: Cost, trusted: str) -> Walk:
    if name in path:
        cost.circle = cost.circle or (*path[path.index(name) :], name)
        return
    texts = yield Question(name, "TXT")
    if texts is None:
        cost.is_partial = True
        return
    policies = [text for text in texts if is_policy(text)]
    if len(policies) == 1:
        yield from _follow(policies[0], (*path, name), cost, trusted)
    elif name != trusted:
        cost.missing = cost.missing or name
        if not texts:
            cost.voids.append(name)


def _look_at_hosts(kind: str, name: str, cost: Cost) -> Walk:
    # Which address family counts depends on the mail; a name that has either is there.
    for asked in {"mx": ("MX",), "exists": ("A",)}.get(kind, ("A", "AAAA")):
        found = yield Question(name, asked)
        if found is None:
            cost.is_partial = True
            return
        if kind == "mx" and len(found) > MAX_MAIL_SERVERS:
            cost.crowded = cost.crowded or name
        if found:
            return
    cost.voids.append(name)


def _terms(text: str) -> list[tuple[str, str]]:
    """Return the terms that cost a look-up, as receivers reach them: nothing behind `all`, redirect last."""
    found: list[tuple[str, str]] = []
    redirects: list[tuple[str, str]] = []
    for term in text.lower().split()[1:]:
        if _EVERYTHING.fullmatch(term):
            return found
        if match := _TERM.fullmatch(term):
            (redirects if match[1] == "redirect" else found).append((match[1], match[2] or ""))
    return found + redirects[:1]


def _name(text: str) -> str:
    return text.strip().rstrip(".").lower()
