"""Dynamic parameters `{{name}}`: which are there, and what else stands in double braces."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from koomessage.common.errors import RuleViolation

MAX_PARAMETERS = 15
MAX_NAME = 64
# The same blanks as delivery tolerates, or a mail would be sent with the braces in it.
_PARAMETER = re.compile(r"(?<!\{)\{\{[ \t]*([A-Za-z][A-Za-z0-9_]*)[ \t]*\}\}(?!\})")
_STRAY = re.compile(r"\{\{+.{0,60}?\}\}+|\{\{.{0,30}|(?:(?!\{\{|\}\}).){0,20}\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text holds in double braces: names in order of first use, and a sentence for each fault."""

    names: tuple[str, ...]
    problems: tuple[str | Promise, ...]


def read_parameters(*texts: str) -> Reading:
    """Read the texts as one mail: at most 15 names together, no two that differ by case alone."""
    names: dict[str, None] = {}
    problems: list[str | Promise] = []
    for text in texts:
        names.update(dict.fromkeys(_PARAMETER.findall(text)))
        # A mark in place of each parameter keeps what stands left and right of it apart.
        problems.extend(_stray(found.group()) for found in _STRAY.finditer(_PARAMETER.sub("\x00", text)))
    spellings: dict[str, str] = {}
    for name in names:
        first = spellings.setdefault(name.lower(), name)
        if first != name:
            problems.append(
                format_lazy(
                    _(
                        "The parameters {first} and {second} differ only by upper and lower case; write both the same."
                    ),
                    first=f"{{{{{first}}}}}",
                    second=f"{{{{{name}}}}}",
                )
            )
        if len(name) > MAX_NAME:
            problems.append(
                format_lazy(
                    _("The parameter name {name} is longer than {most} characters."),
                    name=name[:40] + "…",
                    most=MAX_NAME,
                )
            )
    if len(names) > MAX_PARAMETERS:
        problems.append(
            format_lazy(
                _("A template may use {most} different parameters; this one uses {used}."),
                most=MAX_PARAMETERS,
                used=len(names),
            )
        )
    return Reading(tuple(names), tuple(problems))


def find_parameters(*texts: str, field: str | None = None) -> tuple[str, ...]:
    """Return the distinct names in order of first use.

    Raises RuleViolation, naming the offending text, for anything else in double braces, for more than
    15 names, and for names that differ only by case. `{% %}`, filters and attributes mean nothing here.
    """
    reading = read_parameters(*texts)
    if reading.problems:
        raise RuleViolation(str(reading.problems[0]), field=field)
    return reading.names


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace the parameters in one pass; one without a value stays as it is written."""
    return _PARAMETER.sub(lambda found: values.get(found[1], found[0]), text)


def _stray(text: str) -> str | Promise:
    shown = " ".join(text.replace("\x00", "{{…}}").split())
    if text.startswith("{{") and text.endswith("}}"):
        return format_lazy(
            _(
                "“{text}” is no parameter: a name starts with a letter and holds only letters, digits and "
                "underscores, for example {example}."
            ),
            text=shown,
            example="{{name}}",
        )
    return format_lazy(
        _("The braces at “{text}” do not match: write a parameter as {example}."),
        text=shown,
        example="{{name}}",
    )
