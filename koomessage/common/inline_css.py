"""Style attributes of mails: which properties and which values are let through."""

import html
import re
from typing import Any

import tinycss2
from bleach.css_sanitizer import CSSSanitizer

_PROPERTIES = re.compile(
    r"(?:background|border|font|letter|line|list-style|margin|max|min|mso|outline|overflow|padding|table|text|word)"
    r"(?:-[a-z-]+)?|-webkit-text-size-adjust|-ms-text-size-adjust|-ms-interpolation-mode|border-radius|box-shadow|"
    r"box-sizing|caption-side|clear|color|direction|display|empty-cells|float|height|hyphens|object-fit|opacity|"
    r"unicode-bidi|vertical-align|visibility|white-space|width|align-items|justify-content|flex|flex-direction|"
    r"flex-wrap|gap"
)
_FUNCTIONS = frozenset(
    {"rgb", "rgba", "hsl", "hsla", "calc", "min", "max", "linear-gradient", "radial-gradient", "url"}
)


class CheckedCss(CSSSanitizer):
    """bleach's check knows property names only; this one reads the values too."""

    def __init__(self, removed: dict[str, None]) -> None:
        super().__init__()
        self._removed = removed
        self._known: dict[str, str] = {}

    def sanitize_css(self, style: str) -> str:
        if style not in self._known:
            self._known[style] = self._checked(style)
        return self._known[style]

    def _checked(self, style: str) -> str:
        # bleach hands attribute values over with their entities, whose ";" would end a declaration.
        return self.check_declarations(html.unescape(style))

    def check_declarations(self, style: str | list[Any]) -> str:
        """Return the declarations, as text or tokens, that may stay, noting the others."""
        kept = []
        for rule in tinycss2.parse_declaration_list(style, skip_comments=True, skip_whitespace=True):
            if rule.type != "declaration":
                self._removed["CSS"] = None
            elif not _PROPERTIES.fullmatch(rule.lower_name) or not _are_plain(rule.value):
                self._removed[f"CSS {rule.lower_name[:30]}"] = None
            else:
                value = tinycss2.serialize(rule.value).strip()
                kept.append(f"{rule.lower_name}: {value}{' !important' if rule.important else ''}")
        return "; ".join(kept)


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
        if token.type == "string" and "<" in token.value:
            return False
    return True


def _is_one_picture(arguments: list[Any]) -> bool:
    words = [token for token in arguments if token.type != "whitespace"]
    return len(words) == 1 and words[0].type == "string" and words[0].value.lower().startswith("https://")
