"""The text part of a mail, made from its sanitised HTML."""

import html
import re

from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_properties import Display
from inscriptis.model.config import ParserConfig
from inscriptis.model.html_element import HtmlElement

from koomessage.common.html import split_style

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_LINK = re.compile(r"\[([^\[\]]*)\]\(((?:\{\{[ \t]*\w+[ \t]*\}\}|[^\s()])*)\)")
_INSIDE = r"""(?:[^<>"']|"[^"]*"|'[^']*')*"""
# What a linked picture says is the link's words; an image map's areas are links as well.
_LINKED_PICTURE = re.compile(rf"""(<a\b{_INSIDE}>\s*(?:<(?!/a|img){_INSIDE}>\s*)*)<img\b({_INSIDE})>""")
_AREA = re.compile(rf"<area\b({_INSIDE})>")
_ATTRIBUTE = re.compile(r"""\s(alt|href)=(?:"([^"]*)"|'([^']*)')""")
_GRID = re.compile(rf"<(/?)(table|thead|tbody|tfoot|tr|td|th|a)\b{_INSIDE}>")
_WIDE_GAP = re.compile(r" {3,}")
_BLANK_LINES = re.compile(r"\n{3,}")
_NO_DIGIT = re.compile(r"\D")
_BLOCKS = (
    "article",
    "aside",
    "center",
    "dd",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "header",
    "main",
    "nav",
)


def text_from(body: str) -> str:
    """Return the text of an HTML body, with the address of each link behind its words.

    Hidden text is left out. Tables that hold data keep their rows; those that only place others are read cell
    by cell.
    """
    _style, body = split_style(body)
    body = _without_layout(_COMMENT.sub("", body))
    if not body.strip():
        return ""
    body = _AREA.sub(_link_of_area, _LINKED_PICTURE.sub(_words_of_picture, body))
    css = CSS_PROFILES["strict"].copy()
    css |= {name: HtmlElement(tag=name, display=Display.block) for name in _BLOCKS}
    shape = ParserConfig(css=css, display_links=True, table_cell_separator=" ")
    lines = (_WIDE_GAP.sub("  ", line.strip()) for line in get_text(f"<div>{body}</div>", shape).splitlines())
    return _BLANK_LINES.sub("\n\n", _LINK.sub(_plain_link, "\n".join(lines))).strip()


def _without_layout(body: str) -> str:
    """Write tables that hold tables as divisions, and those inside a link as its words."""
    tags = list(_GRID.finditer(body))
    # For each tag the table it belongs to, by the place of that table's own tag.
    home: list[int | None] = []
    opened: list[int] = []
    layouts: set[int] = set()
    in_links: set[int] = set()
    links = 0
    for place, tag in enumerate(tags):
        is_end, name = bool(tag[1]), tag[2]
        if name == "a":
            links = max(0, links + (-1 if is_end else 1))
            home.append(None)
            continue
        if name == "table" and not is_end:
            layouts.update(opened)
            opened.append(place)
            if links:
                in_links.add(place)
        home.append(opened[-1] if opened else None)
        if name == "table" and is_end and opened:
            opened.pop()
    written, end = [], 0
    for tag, table in zip(tags, home, strict=True):
        written.append(body[end : tag.start()])
        end = tag.end()
        if table in in_links:
            written.append(" ")
        elif table in layouts:
            # A cell's own style may hide it.
            written.append(re.sub(r"^(</?)\w+", r"\1div", tag.group()))
        else:
            written.append(tag.group())
    return "".join([*written, body[end:]])


def _said(attributes: str) -> dict[str, str]:
    """Return the words and the address, their special characters still written as in HTML."""
    return {name: html.escape(html.unescape(one or two)) for name, one, two in _ATTRIBUTE.findall(attributes)}


def _words_of_picture(found: re.Match[str]) -> str:
    return found[1] + _said(found[2]).get("alt", "")


def _link_of_area(found: re.Match[str]) -> str:
    said = _said(found[1])
    return f'<div><a href="{said["href"]}">{said.get("alt", "")}</a></div>' if "href" in said else ""


def _plain_link(found: re.Match[str]) -> str:
    words, address = " ".join(found[1].split()), found[2]
    bare = address.removeprefix("mailto:").removeprefix("tel:")
    if address.startswith("#") and words:
        return words
    if address.startswith("tel:") and _NO_DIGIT.sub("", words) == _NO_DIGIT.sub("", bare):
        return words
    return bare if words in ("", address, bare) else f"{words} ({address})"
