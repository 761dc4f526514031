"""The body element of a mail: every mail gets one anew, so a division takes over what the old one said."""

import html
import re

# What media queries call "body" goes by this class: the division is not the body any more.
STAND_IN = "koo-body"

_HTML = re.compile(r"<html(?P<attributes>\s[^<>]*)?>", re.IGNORECASE)
_BODY = re.compile(r"<body(?P<attributes>\s[^<>]*)?>", re.IGNORECASE)
_BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""\s([a-zA-Z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_COLOUR = re.compile(r"#?[A-Za-z0-9]{1,30}")
_BARE_HEX = re.compile(r"[0-9a-fA-F]{6}")
_PICTURE = re.compile(r"[^\s\"'()<>\\]+")


def link_colour(text: str) -> str:
    """Return the colour that the body element gives to links, empty where it says none."""
    body = _BODY.search(text)
    return _colour(_attributes(body).get("link", "")) if body else ""


def as_division(text: str, *, is_named: bool) -> str:
    """Return the content of the body, in a division with its looks, direction and names where it has any.

    `is_named` says that a media query speaks of the body.
    """
    document, body = _HTML.search(text), _BODY.search(text)
    own = _attributes(body)
    said = {name: value for name, value in _attributes(document).items() if name in ("dir", "lang")} | own
    classes = f"{said.get('class', '')} {STAND_IN if is_named else ''}".strip()
    kept = {
        "class": classes,
        **{name: said.get(name, "") for name in ("id", "dir", "lang")},
        "style": _css(own),
    }
    written = "".join(f' {name}="{html.escape(value)}"' for name, value in kept.items() if value)
    content = text[: body.start()] + _BODY_END.sub("", text[body.end() :]) if body else text
    return f"<div{written}>{content}</div>" if written else content


def _attributes(element: re.Match[str] | None) -> dict[str, str]:
    """As parsers do, the first of two attributes of one name counts."""
    found: dict[str, str] = {}
    for name, *values in _ATTRIBUTE.findall((element and element["attributes"]) or ""):
        found.setdefault(name.lower(), html.unescape("".join(values)).strip())
    return found


def _css(said: dict[str, str]) -> str:
    background, colour = _colour(said.get("bgcolor", "")), _colour(said.get("text", ""))
    picture = said.get("background", "")
    return (
        (f"background-color:{background};" if background else "")
        + (f"background-image:url('{picture}');" if _PICTURE.fullmatch(picture) else "")
        + (f"color:{colour};" if colour else "")
        + said.get("style", "")
    )


def _colour(written: str) -> str:
    if not _COLOUR.fullmatch(written):
        return ""
    return f"#{written}" if _BARE_HEX.fullmatch(written) else written
