"""THE one sanitiser of mail bodies: what it lets through can run nothing, load no code and post nowhere."""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass

from bleach.sanitizer import Cleaner

from koomessage.common.body_element import as_division, link_colour
from koomessage.common.conditionals import Conditionals
from koomessage.common.inline_css import CheckedCss
from koomessage.common.style_blocks import StyleBlocks

MAX_PASSES = 4
MAX_DEPTH = 200
MAX_REPEATS = 400_000

TAGS = frozenset({
    "a", "abbr", "acronym", "address", "area", "article", "aside", "b", "bdi", "bdo", "big", "blockquote",
    "br", "caption", "center", "cite", "code", "col", "colgroup", "dd", "del", "dfn", "div", "dl", "dt",
    "em", "figcaption", "figure", "font", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr",
    "i", "img", "ins", "kbd", "li", "main", "map", "mark", "nav", "nobr", "ol", "p", "picture", "pre", "q",
    "s", "samp", "section", "small", "source", "span", "strike", "strong", "sub", "sup", "table", "tbody",
    "td", "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul", "var", "wbr",
})  # fmt: skip
_EVERYWHERE = frozenset({
    "align", "aria-describedby", "aria-hidden", "aria-label", "aria-labelledby", "aria-roledescription",
    "background", "bgcolor", "border", "class", "dir", "height", "id", "lang", "role", "style", "title",
    "valign", "width",
})  # fmt: skip
_CELL = frozenset({"colspan", "rowspan", "nowrap", "scope", "headers", "abbr", "bordercolor"})
_ATTRIBUTES = {
    "a": frozenset({"href", "name", "target", "rel"}),
    "area": frozenset({"href", "alt", "shape", "coords", "target", "rel"}),
    "map": frozenset({"name"}),
    "img": frozenset({"src", "srcset", "sizes", "alt", "hspace", "vspace", "usemap"}),
    "source": frozenset({"srcset", "sizes", "media", "type"}),
    "table": frozenset({"cellpadding", "cellspacing", "summary", "bordercolor", "frame", "rules"}),
    "td": _CELL,
    "th": _CELL,
    "col": frozenset({"span"}),
    "colgroup": frozenset({"span"}),
    "font": frozenset({"color", "face", "size"}),
    "blockquote": frozenset({"type"}),
    "ol": frozenset({"start", "type", "reversed"}),
    "ul": frozenset({"type"}),
    "li": frozenset({"value", "type"}),
    "hr": frozenset({"color", "noshade", "size"}),
    "time": frozenset({"datetime"}),
    "br": frozenset({"clear"}),
}
# Marks of programs that make mails, and of Word; nobody can see what they said.
_UNSEEN = re.compile(r"(?:xmlns|data-|(?!on|hx)[a-z0-9]+:).*|cite|spellcheck|contenteditable|vertical-align")
LINK_SCHEMES = ("http://", "https://", "mailto:", "tel:")
IMAGE_SCHEMES = ("http://", "https://")
# A parameter may stand for the address, or for its beginning; what fills it is judged when it is filled in.
_PARAMETER_ADDRESS = re.compile(r"\{\{[ \t]*[A-Za-z][A-Za-z0-9_]*[ \t]*\}\}(?:[/?#].*)?", re.DOTALL)

# Elements whose content is no text for readers, and goes with them; the end of the file closes an open one.
_WITH_CONTENT = (
    "script style title iframe object applet svg math noembed noframes template xml select textarea audio video "
    "canvas frameset xmp plaintext noscript datalist"
)
_HIDDEN = re.compile(
    r"<!--(?P<comment>.*?)(?:-->|--!>|\Z)|<(?P<name>{names})(?=[\s/>])(?P<inside>.*?)(?:</(?P=name)(?=[\s/>])[^>]*(?:>|\Z)|\Z)".replace(
        "{names}", "|".join(_WITH_CONTENT.split())
    ),
    re.DOTALL | re.IGNORECASE,
)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]*)")
_PROCESSING = re.compile(r"<[!?][^<>]*>")
# What a parser reads as one comment or tag: a tag that stands in an attribute's value is none.
_TOKEN = re.compile(
    r"""<!--(?:-?>|.*?(?:--!?>|\Z))|<(?:[!?]|/(?![a-zA-Z]))[^>]*+|"""
    r"""<(?P<end>/?)(?P<name>[a-zA-Z][^ \t\n\f\r/>]*+)"""
    r"""(?:[ \t\n\f\r/]++|(?:=[^ \t\n\f\r/>=]*+|[^ \t\n\f\r/>=]++)"""
    r"""(?:[ \t\n\f\r]*+=[ \t\n\f\r]*+(?:"[^"]*+"?|'[^']*+'?|[^ \t\n\f\r>"'][^ \t\n\f\r>]*+)?)?)*+""",
    re.DOTALL,
)
# The parser closes these by itself, or they hold nothing, so they never pile up.
_NEVER_DEEP = frozenset({
    "br", "hr", "img", "wbr", "area", "source", "col", "p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody",
    "tfoot", "caption", "colgroup",
})  # fmt: skip
_FORMATTING = frozenset({
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
})  # fmt: skip
# Dropped without a word: a mail's frame, which every mail gets anew.
_SILENT = frozenset({"html", "head", "body", "meta", "title"})
_REFRESH = re.compile(r"<meta[^<>]+http-equiv\s*=\s*[\"']?refresh", re.IGNORECASE)
_BRACES = (
    re.compile(r"&(?:#0*123|#x0*7b|lcub|lbrace);", re.IGNORECASE),
    re.compile(r"&(?:#0*125|#x0*7d|rcub|rbrace);", re.IGNORECASE),
)
_ROOT = "koo-root"
_OUR_ROOT = re.compile(rf"</?{_ROOT}[^<>]*>?", re.IGNORECASE)
_FIRST_STYLE = re.compile(r"<style>\n.*?\n</style>\n", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]+")


class TangledHtml(ValueError):
    """The elements are nested so deeply, or left open so often, that no mail client would show them."""


@dataclass(frozen=True, slots=True)
class Sanitized:
    """Safe HTML, and what was left out of it, each thing once, e.g. "<script>", "onclick", "CSS position"."""

    html: str
    removed: tuple[str, ...]


def sanitize(text: str, *, before_check: Callable[[], None] | None = None) -> Sanitized:
    """Return the content of a mail body without anything that could run, load code or post.

    Tables, inline CSS and Outlook's plain conditional comments stay as they are; rules of style elements move
    into the elements, and what only a head can say (media queries) stays in one style element in front.
    A whole document is unwrapped to the content of its body. Sanitising the answer again changes nothing.
    Costs about a second for 100 KB of dense markup: call it on save only.
    `before_check` is called halfway, before the answer is proved. Raises TangledHtml for what would take the
    parser minutes, and HeavyStyles for rules that do.
    """
    removed: dict[str, None] = {}
    clean = _once(text, removed)
    if before_check:
        before_check()
    for _attempt in range(MAX_PASSES):
        again = _once(clean, {})
        if again == clean:
            return Sanitized(clean, tuple(removed))
        clean = again
    # What changes under our hands each time was made to deceive: show its source instead.
    return Sanitized(html.escape(clean, quote=False), tuple(removed))


def split_style(body: str) -> tuple[str, str]:
    """Return the style element in front of a sanitised body, empty where it has none, and the rest."""
    found = _FIRST_STYLE.match(body)
    return (found.group().strip(), body[found.end() :]) if found else ("", body)


def is_safe_link(address: str) -> bool:
    """Say whether the address may stand in a link: web, mail or telephone, or a parameter in its place."""
    return _is_address(address, LINK_SCHEMES) or address.strip().startswith("#")


def _once(text: str, removed: dict[str, None]) -> str:
    css = CheckedCss(removed)
    styles = StyleBlocks(css, removed)
    conditionals = Conditionals(is_link=is_safe_link, is_picture=_is_picture)
    bare = conditionals.hold(_without_frame(text, styles, conditionals, removed))
    elements = _refuse_tangles(bare)
    styles.colour_links(link_colour(bare))
    body = as_division(styles.into_elements(bare, elements), is_named=styles.speak_of_body)
    clean = _clean(body.strip(), css, removed)
    return styles.block + conditionals.put_back(clean, removed)


def _without_frame(
    text: str, styles: StyleBlocks, conditionals: Conditionals, removed: dict[str, None]
) -> str:
    """Take out what bleach would leave the text of, and set style elements and comments aside."""

    def drop(found: re.Match[str]) -> str:
        name = (found["name"] or "").lower()
        if not name:
            return conditionals.take(found["comment"])
        if name == "style":
            attributes, _end, inside = found["inside"].partition(">")
            styles.add(attributes, inside)
        elif name != "title":
            removed[f"<{name}>"] = None
        return ""

    text = _BRACES[1].sub("}", _BRACES[0].sub("{", _OUR_ROOT.sub("", text.replace("\x00", ""))))
    text = _PROCESSING.sub("", _HIDDEN.sub(drop, conditionals.spell_out(text)))
    if _REFRESH.search(text):
        removed["<meta http-equiv=refresh>"] = None
    for name in dict.fromkeys(name.lower() for _end, name in _TAG.findall(text)):
        # Word's elements ("o:p", "st1:place") say nothing that a reader sees.
        if name not in TAGS and name not in _SILENT and ":" not in name:
            removed[f"<{name[:30]}>"] = None
    return text.strip()


def _refuse_tangles(text: str) -> int:
    """Return how many elements a parser makes of the text at most.

    It repeats every open formatting element in each new block: a product that must stay small. An end tag
    closes nothing outside the table it stands in.
    """
    tags = most_formatting = tables = 0
    blocks: list[str] = []
    formatting: list[tuple[str, int]] = []
    for found in _TOKEN.finditer(text):
        name = (found["name"] or "").lower()
        tags += bool(name)
        if name in _FORMATTING:
            if not found["end"]:
                formatting.append((name, tables))
            elif (name, tables) in formatting:
                del formatting[len(formatting) - 1 - formatting[::-1].index((name, tables))]
        elif name in TAGS and name not in _NEVER_DEEP:
            if not found["end"]:
                blocks.append(name)
            else:
                _close(name, blocks)
            if name == "table":
                tables = blocks.count(name)
                formatting = [(inside, min(depth, tables)) for inside, depth in formatting]
        most_formatting = max(most_formatting, len(formatting))
        if len(blocks) + len(formatting) > MAX_DEPTH or most_formatting * tags > MAX_REPEATS:
            raise TangledHtml
    return tags * (1 + most_formatting)


def _close(name: str, blocks: list[str]) -> None:
    """Take the last of this name and what stands in it out of the open elements, unless a table hides it."""
    for place in range(len(blocks) - 1, -1, -1):
        if blocks[place] == name:
            del blocks[place:]
            return
        if blocks[place] == "table":
            return


def _clean(text: str, css: CheckedCss, removed: dict[str, None]) -> str:
    def allow(tag: str, name: str, value: str) -> bool:
        if name == "style":
            return bool(css.sanitize_css(value))
        allowed = name in _EVERYWHERE or name in _ATTRIBUTES.get(tag, ())
        shown = name
        if allowed and name in _ADDRESSES:
            address = html.unescape(value)
            allowed = _ADDRESSES[name](address)
            shown = f"{name}={_CONTROL.sub('', address)[:40]}"
        if not allowed and not _UNSEEN.fullmatch(name):
            removed[shown] = None
        return allowed

    cleaner = Cleaner(
        tags=TAGS | {_ROOT},
        attributes=allow,
        protocols=["http", "https", "mailto", "tel"],
        strip=True,
        strip_comments=False,  # none is left but the marks of those that may stay
        css_sanitizer=css,
    )
    # Without a parent, the parser loses what stands in a table outside its cells.
    return str(cleaner.clean(f"<{_ROOT}>{text}").removeprefix(f"<{_ROOT}>").removesuffix(f"</{_ROOT}>"))


def _is_address(address: str, schemes: tuple[str, ...]) -> bool:
    # Browsers skip control characters and blanks inside a scheme, so they are no disguise here.
    bare = _CONTROL.sub("", address)
    return bare.lower().startswith(schemes) or _PARAMETER_ADDRESS.fullmatch(address.strip()) is not None


def _is_picture(address: str) -> bool:
    return _is_address(address, IMAGE_SCHEMES)


def _are_pictures(addresses: str) -> bool:
    """Judge a list such as "a.png 1x, b.png 2x"; no parameter may bring in more of them."""
    return all(
        candidate.strip().lower().startswith(IMAGE_SCHEMES) for candidate in addresses.strip(", ").split(",")
    )


_ADDRESSES: dict[str, Callable[[str], bool]] = {
    "href": is_safe_link,
    "src": _is_picture,
    "background": _is_picture,
    "srcset": _are_pictures,
    "usemap": lambda name: name.startswith("#"),
}
