"""Style blocks of mails: ordinary rules move into the elements, what only a head can say stays in one block."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import css_inline
import tinycss2

from koomessage.common.inline_css import CheckedCss

MAX_CSS = 256 * 1024
_SELECTOR = re.compile(r"[\w\s.#*>+~,:()\[\]=\"'^$|-]{1,400}")
_MEDIA = re.compile(r"[\w\s():,./<>=-]{1,200}")
# States and parts of an element that no style attribute can name.
_UNINLINABLE = re.compile(
    r"::|:(?:hover|active|focus|focus-within|focus-visible|visited|link|target|checked|before|after|"
    r"first-line|first-letter|root)\b",
    re.IGNORECASE,
)
_TYPE = re.compile(r"""\stype\s*=\s*["']?\s*([^"'\s>]*)""", re.IGNORECASE)
_FOR_MEDIA = re.compile(r"""\smedia\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)


@dataclass
class StyleBlocks:
    """The rules of a body's style elements, each declaration checked; `removed` names what was left out."""

    checked: CheckedCss
    removed: dict[str, None]
    ordinary: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    _octets: int = 0

    def add(self, attributes: str, css: str) -> None:
        """Read one style element."""
        kind = _TYPE.search(attributes)
        self._octets += len(css)
        if (kind and kind[1].lower() not in ("", "text/css")) or self._octets > MAX_CSS:
            self.removed["<style>"] = None
            return
        media = _FOR_MEDIA.search(attributes)
        condition = (media[1] or media[2] or "").strip() if media else ""
        rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
        if condition.lower() in ("", "all", "screen"):
            self._add_rules(rules)
        else:
            self._keep_media(condition, rules)

    def into_elements(self, document: str) -> str:
        """Return the document with the ordinary rules in its elements' style attributes."""
        if not self.ordinary:
            return document
        inliner = css_inline.CSSInliner(
            inline_style_tags=False,
            keep_style_tags=False,
            keep_link_tags=True,
            load_remote_stylesheets=False,
            extra_css="\n".join(self.ordinary),
        )
        return inliner.inline(document)

    @property
    def block(self) -> str:
        """The one style element that stays; never two braces together, which would be a parameter's."""
        rules = list(dict.fromkeys(self.kept))
        return "<style>\n{}\n</style>\n".format("\n".join(rules)) if rules else ""

    def _add_rules(self, rules: Iterable[Any]) -> None:
        for rule in rules:
            if rule.type == "qualified-rule":
                for selector, declarations in self._plain_rules(rule):
                    target = self.kept if _UNINLINABLE.search(selector) else self.ordinary
                    target.append(f"{selector} {{ {declarations} }}")
            elif rule.type == "at-rule" and rule.lower_at_keyword == "media" and rule.content is not None:
                self._keep_media(tinycss2.serialize(rule.prelude).strip(), _rules_in(rule.content))
            elif rule.type == "at-rule" and rule.lower_at_keyword != "charset":
                self.removed[f"@{rule.lower_at_keyword[:30]}"] = None
            elif rule.type == "error":
                self.removed["CSS"] = None

    def _keep_media(self, condition: str, rules: Iterable[Any]) -> None:
        inside: list[str] = []
        for rule in rules:
            if rule.type == "qualified-rule":
                inside += [f"  {selector} {{ {text} }}" for selector, text in self._plain_rules(rule)]
            elif rule.type == "at-rule":
                self.removed[f"@{rule.lower_at_keyword[:30]}"] = None
        if not _MEDIA.fullmatch(condition) or "</" in condition or "<!" in condition:
            self.removed["@media"] = None
        elif inside:
            self.kept.append("@media {} {{\n{}\n}}".format(" ".join(condition.split()), "\n".join(inside)))

    def _plain_rules(self, rule: Any) -> Iterable[tuple[str, str]]:
        """Yield each selector of the rule with its checked declarations."""
        declarations = self.checked.check_declarations(rule.content)
        for selector in _split(tinycss2.serialize(rule.prelude)):
            if not _SELECTOR.fullmatch(selector):
                self.removed["CSS"] = None
            elif declarations:
                yield selector, declarations


def _rules_in(content: list[Any]) -> list[Any]:
    return tinycss2.parse_rule_list(content, skip_comments=True, skip_whitespace=True)


def _split(selectors: str) -> list[str]:
    """Split at the commas that stand outside brackets and parentheses."""
    parts, depth = [""], 0
    for char in selectors:
        depth += (char in "([") - (char in ")]")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return [" ".join(part.split()) for part in parts if part.strip()]
