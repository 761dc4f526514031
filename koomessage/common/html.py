"""THE one sanitiser of mail bodies: what it lets through can run nothing, load no code and post nowhere."""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass

from bleach.sanitizer import Cleaner

from koomessage.common.conditionals import Conditionals
from koomessage.common.inline_css import CheckedCss
from koomessage.common.style_blocks import StyleBlocks

MAX_PASSES = 4
MAX_DEPTH = 200
MAX_REPEATS = 400_000

TAGS = frozenset({
    "a", "abbr", "address", "article", "aside", "b", "big", "blockquote", "br", "caption", "center",
    "cite", "code", "col", "colgroup", "dd", "del", "div", "dl", "dt", "em", "figcaption", "figure",
    "font", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "i", "img", "ins", "kbd",
    "li", "main", "mark", "ol", "p", "pre", "q", "s", "samp", "section", "small", "span", "strike",
    "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "tt", "u",
    "ul", "var", "wbr",
})  # fmt: skip
_EVERYWHERE = frozenset({
    "align", "aria-hidden", "aria-label", "background", "bgcolor", "border", "class", "dir", "height",
    "id", "lang", "role", "style", "title", "valign", "width",
})  # fmt: skip
_ATTRIBUTES = {
    "a": frozenset({"href", "name", "target", "rel"}),
    "img": frozenset({"src", "alt", "hspace", "vspace"}),
    "table": frozenset({"cellpadding", "cellspacing", "summary", "bordercolor", "frame", "rules"}),
    "td": frozenset({"colspan", "rowspan", "nowrap", "scope", "headers", "abbr"}),
    "th": frozenset({"colspan", "rowspan", "nowrap", "scope", "headers", "abbr"}),
    "col": frozenset({"span"}),
    "colgroup": frozenset({"span"}),
    "font": frozenset({"color", "face", "size"}),
    "ol": frozenset({"start", "type", "reversed"}),
    "ul": frozenset({"type"}),
    "li": frozenset({"value", "type"}),
    "hr": frozenset({"color", "noshade", "size"}),
    "time": frozenset({"datetime"}),
    "br": frozenset({"clear"}),
}
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
_BODY = re.compile(r"<body(?P<attributes>\s[^<>]*)?>", re.IGNORECASE)
_BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)
_STYLE = re.compile(r"""\sstyle\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_BGCOLOR = re.compile(r"""\sbgcolor\s*=\s*["']?(#?[A-Za-z0-9]+)""", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]*)")
_PROCESSING = re.compile(r"<[!?][^<>]*>")
# The parser closes these by itself, or they hold nothing, so they never pile up.
_NEVER_DEEP = frozenset({
    "br", "hr", "img", "wbr", "col", "p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody",
    "tfoot", "caption", "colgroup",
})  # fmt: skip
_FORMATTING = frozenset({
    "a", "b", "big", "code", "em", "font", "i", "s", "small", "strike", "strong", "tt", "u",
})  # fmt: skip
# Dropped without a word: a mail's frame, which every mail gets anew.
_SILENT = frozenset({"html", "head", "body", "meta", "title", "o:p", "tbody"})
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
    parser minutes.
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
    conditionals = Conditionals(
        is_link=is_safe_link, is_picture=lambda address: _is_address(address, IMAGE_SCHEMES)
    )
    bare = conditionals.hold(_without_frame(text, styles, conditionals, removed))
    _refuse_tangles(bare)
    clean = _clean(_without_body(styles.into_elements(bare)).strip(), css, removed)
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
    for _end, name in _TAG.findall(text):
        if name.lower() not in TAGS and name.lower() not in _SILENT:
            removed[f"<{name.lower()[:30]}>"] = None
    return text.strip()


def _refuse_tangles(text: str) -> None:
    """The parser repeats every open formatting element in each new block: a product that must stay small."""
    depth = formatting = most_formatting = 0
    for tags, (end, written) in enumerate(_TAG.findall(text), start=1):
        name = written.lower()
        step = -1 if end else 1
        if name in TAGS and name not in _NEVER_DEEP:
            depth = max(0, depth + step)
        if name in _FORMATTING:
            formatting = max(0, formatting + step)
            most_formatting = max(most_formatting, formatting)
        if depth > MAX_DEPTH or most_formatting * tags > MAX_REPEATS:
            raise TangledHtml


def _without_body(text: str) -> str:
    body = _BODY.search(text)
    if body is None:
        return text
    attributes = body["attributes"] or ""
    style = _STYLE.search(attributes)
    colour = _BGCOLOR.search(attributes)
    css = (f"background-color:{colour[1]};" if colour else "") + (
        (style[1] or style[2] or "") if style else ""
    )
    content = text[: body.start()] + _BODY_END.sub("", text[body.end() :])
    return f'<div style="{html.escape(html.unescape(css))}">{content}</div>' if css else content


def _clean(text: str, css: CheckedCss, removed: dict[str, None]) -> str:
    def allow(tag: str, name: str, value: str) -> bool:
        if name == "style":
            return bool(css.sanitize_css(value))
        allowed = name in _EVERYWHERE or name in _ATTRIBUTES.get(tag, ())
        shown = name
        if allowed and name in ("href", "src", "background"):
            address = html.unescape(value)
            allowed = is_safe_link(address) if name == "href" else _is_address(address, IMAGE_SCHEMES)
            shown = f"{name}={_CONTROL.sub('', address)[:40]}"
        if not allowed and not name.startswith("xmlns"):
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
