"""Style attributes of mails: which properties and which values are let through."""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import tinycss2
from bleach.css_sanitizer import CSSSanitizer

_PROPERTIES = re.compile(
    r"(?:-webkit-|-moz-|-ms-|-o-)?(?:(?:align|background|border|box|break|column|flex|font|gap|grid|hyphens|justify|"
    r"letter|line|list-style|margin|max|min|object|order|orphans|outline|overflow|padding|page|row-gap|tab|table|"
    r"text|transition|widows|word)(?:-[a-z-]+)?|caption-side|clear|color|color-scheme|columns|cursor|direction|"
    r"display|empty-cells|float|height|opacity|osx-font-smoothing|quotes|unicode-bidi|vertical-align|visibility|"
    r"white-space|width|zoom)|mso-[a-z-]+|-ms-interpolation-mode|supported-color-schemes|text-decoration-[a-z]+|"
    r"-webkit-overflow-scrolling|-premailer-[a-z]+"
)
_FUNCTIONS = frozenset({
    "rgb", "rgba", "hsl", "hsla", "calc", "min", "max", "clamp", "url", "linear-gradient", "radial-gradient",
    "conic-gradient", "repeating-linear-gradient", "repeating-radial-gradient", "-webkit-linear-gradient",
    "-moz-linear-gradient", "minmax", "repeat", "cubic-bezier",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Declaration:
    """One property with its value, which may stay."""

    name: str
    value: str
    is_important: bool = False

    @property
    def family(self) -> str:
        """Properties that can override each other begin alike: "padding" and "padding-left"."""
        return self.name.lstrip("-").partition("-")[0]

    def __str__(self) -> str:
        return f"{self.name}: {self.value}{' !important' if self.is_important else ''}"


class CheckedCss(CSSSanitizer):
    """bleach's check knows property names only; this one reads the values too."""

    def __init__(self, removed: dict[str, None]) -> None:
        super().__init__()
        self._removed = removed
        self._known: dict[str, str] = {}
        self._yielding: frozenset[str] = frozenset()

    def sanitize_css(self, style: str) -> str:
        if style not in self._known:
            self._known[style] = self._checked(style)
        return self._known[style]

    def give_way(self, families: Iterable[str]) -> None:
        """Take "!important" from these families in style attributes: media queries must win over them."""
        self._yielding = frozenset(families)

    def _checked(self, style: str) -> str:
        # bleach hands attribute values over with their entities, whose ";" would end a declaration.
        return "; ".join(
            str(replace(found, is_important=False) if found.family in self._yielding else found)
            for found in self.declarations(html.unescape(style))
        )

    def declarations(self, style: str | list[Any]) -> list[Declaration]:
        """Return the declarations, of text or tokens, that may stay, noting the others."""
        kept = []
        for rule in tinycss2.parse_declaration_list(style, skip_comments=True, skip_whitespace=True):
            if rule.type != "declaration":
                self._removed["CSS"] = None
                continue
            value = rule.value
            if not _PROPERTIES.fullmatch(rule.lower_name) or not _are_plain(value):
                self._removed[f"CSS {rule.lower_name[:30]}"] = None
                # Light words on a dark colour must stay readable without the picture between them.
                value = _without_pictures(value) if rule.lower_name == "background" else []
            if text := tinycss2.serialize(value).strip():
                kept.append(Declaration(rule.lower_name, text, rule.important))
        return kept


def _without_pictures(tokens: list[Any]) -> list[Any]:
    """Leave the addresses out of a background; nothing, where more is wrong with it than they are."""
    rest = [
        token
        for token in tokens
        if token.type != "url" and not (token.type == "function" and token.lower_name == "url")
    ]
    return rest if _are_plain(rest) else []


def _are_plain(tokens: list[Any]) -> bool:
    """Say whether a value holds nothing but words, numbers, colours, and pictures by https."""
    for token in tokens:
        if token.type in ("{} block", "[] block", "error", "at-keyword", "<!--", "-->"):
            return False
        if token.type == "() block" and not _are_plain(token.content):
            return False
        if token.type == "url" and not token.value.lower().startswith("https://"):
            return False
        if token.type == "function":
            if token.lower_name not in _FUNCTIONS or not _are_plain(token.arguments):
                return False
            if token.lower_name == "url" and not _is_one_picture(token.arguments):
                return False
        # Escapes can write both. A recipient's value is made safe for markup, and could end a string of CSS.
        if token.type in ("string", "url") and any(sign in token.value for sign in ("<", "{{", "}}")):
            return False
    return True


def _is_one_picture(arguments: list[Any]) -> bool:
    words = [token for token in arguments if token.type != "whitespace"]
    return len(words) == 1 and words[0].type == "string" and words[0].value.lower().startswith("https://")
