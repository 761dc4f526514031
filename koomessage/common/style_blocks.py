"""Style blocks of mails: ordinary rules move into the elements, what only a head can say stays in one block."""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import css_inline
import tinycss2

from koomessage.common.body_element import STAND_IN
from koomessage.common.inline_css import CheckedCss, Declaration

MAX_CSS = 256 * 1024
# Far more than the rules of any mail that ends within its limit come to in its elements.
MAX_SPREAD = 2 * 2**20
MAX_TRIALS = 100_000_000  # elements times the parts of all selectors: about two seconds
Rule = tuple[str, list[Declaration]]
_SELECTOR = re.compile(r"[\w\s.#*>+~,:()\[\]=\"'^$|-]{1,400}")
_MEDIA = re.compile(r"[\w\s():,./<>=-]{1,200}")
# States and parts of an element that no style attribute can name, selectors that compare every element with
# every other, and what single mail programs put around a mail.
_UNINLINABLE = re.compile(
    r"::|~(?!=)|:has\(|:(?:not|is|where)\([^)]*[\s>+(]|"
    r":(?:hover|active|focus|focus-within|focus-visible|visited|target|checked|before|after|"
    r"first-line|first-letter|root)\b|\[(?:data-og|owa\b|x-apple-|style\*=)|\bu\s*\+|"
    r"#(?:outlook|MessageViewBody|MessageWebViewDiv)\b|\.(?:ExternalClass|ReadMsgBody|moz-text-html)\b",
    re.IGNORECASE,
)
_LINK_STATE = re.compile(r":(?:link|any-link)\b", re.IGNORECASE)
_BODY = re.compile(r"(?<![\w.#:\[\"'=-])body(?![\w-])", re.IGNORECASE)
# Rules about paper, Word's lists and the width of old phones: nothing that a reader of the mail sees.
_UNSEEN = frozenset({"charset", "list", "namespace", "page", "viewport", "-ms-viewport", "-o-viewport"})
_TYPE = re.compile(r"""\stype\s*=\s*["']?\s*([^"'\s>]*)""", re.IGNORECASE)
_FOR_MEDIA = re.compile(r"""\smedia\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)


class HeavyStyles(ValueError):
    """The rules are so many, or apply to so many elements, that applying them would take minutes."""


@dataclass
class StyleBlocks:
    """The rules of a body's style elements, each declaration checked; `removed` names what was left out."""

    checked: CheckedCss
    removed: dict[str, None]
    ordinary: list[Rule] = field(default_factory=list)
    states: list[Rule] = field(default_factory=list)
    media: list[tuple[str, list[Rule]]] = field(default_factory=list)
    # Whether a rule that stays names the body element; it goes by its stand-in's name then.
    speak_of_body: bool = False
    _octets: int = 0
    _spread: int = 0

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

    def colour_links(self, colour: str) -> None:
        """Give links a colour that every rule overrides, as a body element does."""
        if colour:
            self.ordinary.insert(0, ("a", [Declaration("color", colour)]))

    def into_elements(self, document: str, elements: int) -> str:
        """Return the document, of so many elements at most, with the ordinary rules in its style attributes."""
        if not self.ordinary:
            return document
        # Of equal rules the last one counts.
        last = {_written(rule): rule for rule in reversed(self.ordinary)}
        self.ordinary = list(reversed(last.values()))
        if elements * sum(selector.count(" ") + 1 for selector, _found in self.ordinary) > MAX_TRIALS:
            raise HeavyStyles
        if elements * sum(len(_written(rule)) for rule in self.ordinary) > MAX_SPREAD:
            self._refuse_spread(document, elements)
        important = {found.family for _, rule in self.ordinary for found in rule if found.is_important}
        in_media = {found.family for _, rules in self.media for _, rule in rules for found in rule}
        self.checked.give_way(important & in_media)
        return _inlined(document, (_written(rule) for rule in self.ordinary))

    def _refuse_spread(self, document: str, elements: int) -> None:
        """Count where the rules apply, with a mark in place of each, before they are written there in full."""
        mark, spread = f"koo-{secrets.token_hex(4)}-", 0
        at_once = max(1, min(50, MAX_SPREAD // elements))
        for start in range(0, len(self.ordinary), at_once):
            rules = self.ordinary[start : start + at_once]
            marked = _inlined(document, (f"{rule[0]} {{ {mark}{at}: 1 }}" for at, rule in enumerate(rules)))
            spread += sum(len(_written(rules[int(at)])) for at in re.findall(rf"{mark}([0-9]+):", marked))
            if spread > MAX_SPREAD:
                raise HeavyStyles

    @property
    def block(self) -> str:
        """The one style element that stays; never two braces together, which would be a parameter's."""
        # A rule in a style attribute would win over a media query that won over it before.
        contested = {found.family for _, rule in self.ordinary for found in rule}
        kept = [_written(rule) for rule in self.states]
        for condition, rules in self.media:
            inside = [
                f"  {_written((selector, [_urgent(found, contested) for found in rule]))}"
                for selector, rule in rules
            ]
            kept.append("@media {} {{\n{}\n}}".format(condition, "\n".join(inside)))
        return "<style>\n{}\n</style>\n".format("\n".join(dict.fromkeys(kept))) if kept else ""

    def _add_rules(self, rules: Iterable[Any]) -> None:
        for rule in rules:
            if rule.type == "qualified-rule":
                for selector, declarations in self._plain_rules(rule):
                    if _UNINLINABLE.search(selector):
                        self.states.append((self._for_stand_in(selector), declarations))
                    else:
                        self.ordinary.append((_LINK_STATE.sub("[href]", selector), declarations))
            elif rule.type == "at-rule" and rule.lower_at_keyword == "media" and rule.content is not None:
                self._keep_media(tinycss2.serialize(rule.prelude).strip(), _rules_in(rule.content))
            elif rule.type == "at-rule" and rule.lower_at_keyword not in _UNSEEN:
                self.removed[f"@{rule.lower_at_keyword[:30]}"] = None
            elif rule.type == "error":
                self.removed["CSS"] = None

    def _keep_media(self, condition: str, rules: Iterable[Any]) -> None:
        inside: list[Rule] = []
        for rule in rules:
            if rule.type == "qualified-rule":
                inside += [
                    (self._for_stand_in(selector), found) for selector, found in self._plain_rules(rule)
                ]
            elif rule.type == "at-rule" and rule.lower_at_keyword not in _UNSEEN:
                self.removed[f"@{rule.lower_at_keyword[:30]}"] = None
        if not _MEDIA.fullmatch(condition) or "</" in condition or "<!" in condition:
            self.removed["@media"] = None
        elif inside:
            self.media.append((" ".join(condition.split()), inside))

    def _for_stand_in(self, selector: str) -> str:
        renamed = _BODY.sub(f".{STAND_IN}", selector)
        self.speak_of_body = self.speak_of_body or renamed != selector
        return renamed

    def _plain_rules(self, rule: Any) -> Iterable[Rule]:
        """Yield each selector of the rule with its checked declarations."""
        declarations = self.checked.declarations(rule.content)
        length = sum(len(str(found)) for found in declarations)
        for selector in _split(tinycss2.serialize(rule.prelude)):
            if not _SELECTOR.fullmatch(selector):
                self.removed["CSS"] = None
            elif declarations:
                # A rule is repeated for each of its selectors.
                self._spread += len(selector) + length
                if self._spread > MAX_SPREAD:
                    raise HeavyStyles
                yield selector, declarations


def _written(rule: Rule) -> str:
    return f"{rule[0]} {{ {'; '.join(map(str, rule[1]))} }}"


def _urgent(found: Declaration, contested: set[str]) -> Declaration:
    return replace(found, is_important=True) if found.family in contested else found


def _inlined(document: str, rules: Iterable[str]) -> str:
    inliner = css_inline.CSSInliner(
        inline_style_tags=False,
        keep_style_tags=False,
        keep_link_tags=True,
        load_remote_stylesheets=False,
        extra_css="\n".join(rules),
    )
    # Without a doctype this parser would leave tables in paragraphs, where the next one takes them out.
    return inliner.inline(f"<!doctype html>{document}").removeprefix("<!DOCTYPE html>")


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
