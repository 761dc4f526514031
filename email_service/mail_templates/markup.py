"""What a sanitised body holds: its links, its pictures, and the text that is shown or hidden."""

import re
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import Any

import tinycss2
from tinycss2 import color3

_VOID = frozenset({"br", "hr", "img", "wbr", "col"})
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "br", "caption", "center", "dd", "div", "dl", "dt", "footer", "h1",
    "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "ol", "p", "pre", "section", "table", "td", "th",
    "tr", "ul",
})  # fmt: skip
_ADDRESS = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]{1,15}://|\bwww\.|\b(?:data|javascript):)[^\s<>\"'，。；！？）】》]+", re.I
)
# Blanks of every width, joiners and marks: what a reader sees nothing of.
_NOTHING = re.compile(
    r"[\s\u00a0\u00ad\u034f\u061c\u115f\u17b4\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]+"
)
_COLOURS = frozenset({"rgb", "rgba", "hsl", "hsla"})
_PREVIEW_LINE = 150  # characters
_TINY = 2.0  # pixels or points that nobody reads

Colour = tuple[int, int, int] | None  # None: not known


@dataclass(frozen=True, slots=True)
class Link:
    text: str  # what readers see: its words, or the words that stand for its picture
    address: str
    is_picture: bool = False


@dataclass(frozen=True, slots=True)
class Hidden:
    text: str
    how: str  # "size", "colour", "display"


@dataclass(slots=True)
class Reading:
    text: str = ""  # what is shown
    links: list[Link] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)  # addresses
    hidden: list[Hidden] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Style:
    colour: Colour = (0, 0, 0)
    background: Colour = (255, 255, 255)
    is_tiny: bool = False
    is_invisible: bool = False
    is_gone: bool = False  # with everything inside it, whatever that says


def read_text(text: str) -> Reading:
    """Read a body of plain text: what looks like a web address is one, mail programs make it a link."""
    links = [Link(found[0], found[0]) for found in _ADDRESS.finditer(text)]
    return Reading(text, links)


def read_html(body: str) -> Reading:
    """Read a body that the sanitiser wrote."""
    reader = _Reader()
    reader.feed(body)
    reader.close()
    reader.reading.text = re.sub(r"\n\s*\n+", "\n", "".join(reader.shown)).strip()
    return reader.reading


def visible(text: str) -> str:
    """Return the text without what nobody sees."""
    return _NOTHING.sub("", text)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.reading = Reading()
        self.shown: list[str] = []
        self._stack: list[tuple[str, _Style]] = [("", _Style())]
        self._has_begun = False
        self._link: tuple[str, list[str], list[str]] | None = None  # address, words, words for pictures

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in _BLOCKS:
            self.shown.append("\n")
        if tag == "img":
            self.reading.pictures.append(given.get("src", ""))
            if self._link:
                self._link[2].append(given.get("alt", ""))
        if tag == "a" and "href" in given:
            self._end_link()
            self._link = (given["href"].strip(), [], [])
        if tag not in _VOID:
            self._stack.append((tag, _inherit(self._stack[-1][1], tag, given)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._end_link()
        if tag in _BLOCKS:
            self.shown.append("\n")
        for depth in range(len(self._stack) - 1, 0, -1):
            if self._stack[depth][0] == tag:
                del self._stack[depth:]
                return

    def handle_data(self, data: str) -> None:
        if self._link:
            self._link[1].append(data)
        how = _how_hidden(self._stack[-1][1])
        size = len(visible(data))
        # One short text before all others is what mail programs show in their lists: readers do see that.
        if not how or (not self._has_begun and size <= _PREVIEW_LINE):
            self.shown.append(data)
            self._has_begun = self._has_begun or size > 0
        elif size:
            self.reading.hidden.append(Hidden(" ".join(data.split()), how))

    def close(self) -> None:
        super().close()
        self._end_link()

    def _end_link(self) -> None:
        if self._link is None:
            return
        address, words, pictures = self._link
        text = " ".join("".join(words).split())
        self.reading.links.append(
            Link(text or " ".join(word for word in pictures if word), address, bool(pictures))
        )
        self._link = None


def _how_hidden(style: _Style) -> str:
    if style.is_gone or style.is_invisible:
        return "display"
    if style.is_tiny:
        return "size"
    if style.colour and style.background and _are_alike(style.colour, style.background):
        return "colour"
    return ""


def _are_alike(one: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) <= 10


def _inherit(style: _Style, tag: str, given: dict[str, str]) -> _Style:
    if tag == "a":
        style = replace(style, colour=None)  # mail programs have a colour of their own for links
    if "bgcolor" in given:
        style = replace(style, background=_colour(tinycss2.parse_component_value_list(given["bgcolor"])))
    if given.get("background"):
        style = replace(style, background=None)
    if tag == "font" and "color" in given:
        style = replace(style, colour=_colour(tinycss2.parse_component_value_list(given["color"])))
    css = given.get("style", "")
    if not css:
        return style
    rules = {
        rule.lower_name: [token for token in rule.value if token.type != "whitespace"]
        for rule in tinycss2.parse_declaration_list(css, skip_comments=True, skip_whitespace=True)
        if rule.type == "declaration"
    }
    return _styled(style, rules)


def _styled(style: _Style, rules: dict[str, list[Any]]) -> _Style:
    for name in ("background", "background-color"):
        if name in rules:
            style = replace(style, background=_background(rules[name], style.background))
    if "color" in rules:
        style = replace(style, colour=_colour(rules["color"]))
    size = next(
        (_pixels(token) for token in rules.get("font-size", rules.get("font", [])) if _pixels(token) >= 0), -1
    )
    if size >= 0:
        style = replace(style, is_tiny=size <= _TINY)
    if "visibility" in rules:
        style = replace(style, is_invisible=_word(rules["visibility"]) in ("hidden", "collapse"))
    folded = _word(rules.get("overflow", [])) == "hidden" and any(
        0 <= _pixels(token) <= _TINY for name in ("height", "max-height", "width", "max-width")
        for token in rules.get(name, [])
    )  # fmt: skip
    clear = any(token.type == "number" and token.value <= 0.05 for token in rules.get("opacity", []))
    indented = any(_is_far_away(token) for token in rules.get("text-indent", []))
    if folded or clear or indented or _word(rules.get("display", [])) == "none":
        style = replace(style, is_gone=True)
    return style


def _word(tokens: list[Any]) -> str:
    return tokens[0].lower_value if tokens and tokens[0].type == "ident" else ""


def _pixels(token: Any) -> float:
    """Return a size in pixels where the unit tells, -1 for what is no size, and 16 for any other unit."""
    if token.type == "number" and token.value == 0:
        return 0.0
    if token.type in ("dimension", "percentage"):
        if token.value == 0:
            return 0.0
        return float(token.value) if getattr(token, "lower_unit", "") in ("px", "pt") else 16.0
    return (
        16.0
        if token.type == "ident" and token.lower_value in ("medium", "large", "small", "inherit")
        else -1.0
    )


def _is_far_away(token: Any) -> bool:
    return token.type == "dimension" and abs(token.value) >= 900


def _background(tokens: list[Any], behind: Colour) -> Colour:
    if any(
        token.type == "url" or (token.type == "function" and token.lower_name not in _COLOURS)
        for token in tokens
    ):
        return None
    for token in tokens:
        colour = color3.parse_color(token)
        if colour is not None and colour != "currentColor":
            return behind if colour.alpha == 0 else _rgb(colour)
    return behind


def _colour(tokens: list[Any]) -> Colour:
    for token in tokens:
        colour = color3.parse_color(token)
        if colour is not None and colour != "currentColor":
            return _rgb(colour) if colour.alpha > 0.5 else None
    return None


def _rgb(colour: Any) -> tuple[int, int, int]:
    return round(colour.red * 255), round(colour.green * 255), round(colour.blue * 255)
