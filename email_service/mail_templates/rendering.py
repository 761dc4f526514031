"""From what a tenant typed to the parts of a mail, and to what a preview shows."""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from django.template.defaultfilters import filesizeformat
from django.utils import translation
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from email_service.delivery.compose import UNSUBSCRIBE_SLOT
from email_service.mail_templates.models import BodyType
from email_service.mail_templates.parameters import fill, find_parameters
from email_service.mail_templates.remote_pictures import without_remote_pictures
from email_service.mail_templates.samples import sample_values
from email_service.mail_templates.text_part import text_from
from koomessage.common.errors import RuleViolation
from koomessage.common.html import TangledHtml, sanitize, split_style
from koomessage.common.style_blocks import HeavyStyles

__all__ = ["find_parameters", "link_parameters", "parts_of", "preview", "samples", "tidy_body"]

MAX_BODY = 256 * 1024
# Far more than any body that ends within the limit; what is longer is not worth the sanitiser's time.
_MAX_MARKUP = 2 * MAX_BODY
_STYLE_BLOCKS = re.compile(
    r"<(style|script|title)(?=[\s>]).*?(?:</\1[^<>]*>|\Z)|<!--.*?(?:-->|\Z)", re.DOTALL | re.IGNORECASE
)
_LINK_PARAMETER = re.compile(
    r"""\b(?:href|src|background)=["'][ \t]*\{\{[ \t]*([A-Za-z][A-Za-z0-9_]*)[ \t]*\}\}"""
)
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029\ud800-\udfff]")

_DOCUMENT = """<!doctype html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="x-apple-disable-message-reformatting">
<meta name="format-detection" content="telephone=no, date=no, address=no">
{style}{head}
</head>
<body style="margin:0;padding:0;overflow-wrap:break-word;-webkit-text-size-adjust:100%;">
{body}
</body>
</html>
"""
# For mails without a layout of their own. Tables size their cells by what is in them, and spacers by both their
# attributes: rules about every picture would tear them apart.
_PLAIN_STYLE = "<style>img{max-width:100%;height:auto}</style>"
_PREVIEW_STYLE = (
    "<style>body{background:#fff;color:#1f2937;font-family:-apple-system,'Segoe UI','PingFang SC','Microsoft YaHei',"
    "'Noto Sans CJK SC',Arial,sans-serif}</style>"
    '<base target="_blank">'
)
_UNSUBSCRIBE_HTML = (
    '<div style="margin:0;padding:16px 24px 24px;text-align:center;font-size:12px;line-height:18px;color:#6b7280;'
    "font-family:Arial,'PingFang SC','Microsoft YaHei',sans-serif;\">{sentence} "
    '<a href="{url}" style="color:#6b7280;text-decoration:underline;">{label}</a></div>'
)


class Mail(Protocol):
    """A template's version, or a draft that has the same four things."""

    @property
    def body_type(self) -> str: ...
    @property
    def body(self) -> str: ...
    @property
    def parameters(self) -> "list[str] | tuple[str, ...]": ...
    @property
    def can_unsubscribe(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Draft:
    """A body that passed every rule: what a version stores, or a preview shows before anything is stored."""

    body_type: str
    body: str
    parameters: tuple[str, ...]
    can_unsubscribe: bool = False
    removed: tuple[str, ...] = ()


def tidy_body(
    *,
    body_type: str,
    body: str,
    can_unsubscribe: bool = False,
    before_check: Callable[[], None] | None = None,
) -> Draft:
    """Sanitise and judge a body.

    Raises RuleViolation (field "body") for one that is empty or over 256 KiB, for parameters against the
    rules, and for braces that only the text part would show joined.
    """
    body = _UNPRINTABLE.sub("", body.replace("\r\n", "\n").replace("\r", "\n"))
    if body_type == BodyType.PLAIN:
        _refuse_large(body, MAX_BODY)
        if not body.strip():
            raise RuleViolation(_("Write the mail body."), field="body")
        return Draft(body_type, body, find_parameters(body, field="body"), can_unsubscribe)
    body, removed = tidy_html(body, before_check)
    if not body or (not text_from(body) and "<img" not in body):
        raise RuleViolation(_("Write the mail body; nothing of it could be shown to a reader."), field="body")
    names = find_parameters(body, field="body")
    joined = set(find_parameters(body, text_from(body), field="body")) - set(names)
    if joined:
        sentence = format_lazy(
            _(
                "The braces of {name} are split by formatting. Delete the parameter and type it again in one go."
            ),
            name="{{" + min(joined) + "}}",
        )
        raise RuleViolation(sentence, field="body")
    return Draft(body_type, body, names, can_unsubscribe, removed)


def tidy_html(body: str, before_check: Callable[[], None] | None = None) -> tuple[str, tuple[str, ...]]:
    """Return the sanitised HTML and what was removed; RuleViolation (field "body") when it is too much."""
    _refuse_large(_STYLE_BLOCKS.sub("", body), _MAX_MARKUP)
    try:
        clean = sanitize(body, before_check=before_check)
    except TangledHtml as tangle:
        sentence = _("The HTML is nested too deeply, or many elements in it are never closed. Simplify it.")
        raise RuleViolation(sentence, field="body") from tangle
    except HeavyStyles as heavy:
        sentence = _(
            "The style rules of the mail apply to too many elements. Take out those it does not need."
        )
        raise RuleViolation(sentence, field="body") from heavy
    _refuse_large(clean.html, MAX_BODY)
    return clean.html, clean.removed


def _refuse_large(text: str, most: int) -> None:
    if len(text.encode("utf-8", "replace")) > most:
        sentence = _(
            "The mail body is larger than {most}. Shorten it, or link pictures instead of pasting them."
        )
        raise RuleViolation(format_lazy(sentence, most=filesizeformat(MAX_BODY)), field="body")


def link_parameters(body: str) -> tuple[str, ...]:
    """Return the parameters that stand where a link's address begins: their values must be http or https."""
    return tuple(dict.fromkeys(_LINK_PARAMETER.findall(body)))


def parts_of(version: Mail) -> tuple[str, str | None]:
    """Return the mail's text and, for rich text, its complete HTML document, parameters still in them.

    With can_unsubscribe both end in one link whose address is delivery's slot.
    """
    is_rich = version.body_type == BodyType.RICH
    text = text_from(version.body) if is_rich else version.body
    head, body = split_style(version.body) if is_rich else ("", version.body)
    if version.can_unsubscribe:
        sentence, label = _unsubscribe_words(version.body)
        text = f"{text.rstrip()}\n\n-- \n{sentence} {label}: {UNSUBSCRIBE_SLOT}\n"
        body += _UNSUBSCRIBE_HTML.format(sentence=sentence, label=label, url=UNSUBSCRIBE_SLOT)
    style = "" if "<table" in version.body else _PLAIN_STYLE
    return text, _DOCUMENT.format(style=style, head=head, body=body) if is_rich else None


def samples(version: Mail) -> dict[str, str]:
    """Return a sample value for each parameter, in the mail's own language."""
    with translation.override(_language_of(version.body)):
        return sample_values(version.parameters)


def preview(version: Mail, values: Mapping[str, str] | None = None, *, as_text: bool = False) -> str:
    """Return a document for the sandboxed frame, with sample values where none are given."""
    known = samples(version)
    known |= {name: value for name, value in (values or {}).items() if value}
    text, rich = parts_of(version)
    if rich is None or as_text:
        shown = html.escape(fill(text, known).replace(UNSUBSCRIBE_SLOT, "https://…"))
        body = (
            '<pre style="margin:0;padding:24px;white-space:pre-wrap;overflow-wrap:anywhere;font:15px/1.7 inherit;'
            f'font-family:inherit;">{shown}</pre>'
        )
        return _DOCUMENT.format(style=_PREVIEW_STYLE, head="", body=body)
    safe = {name: html.escape(value) for name, value in known.items()}
    for name in link_parameters(version.body):
        if not known[name].lower().startswith(("http://", "https://")):
            safe[name] = "#"
    rich = rich.replace("<head>\n", f"<head>\n{_PREVIEW_STYLE}\n", 1)
    return without_remote_pictures(fill(rich, safe).replace(UNSUBSCRIBE_SLOT, "#"))


def _unsubscribe_words(body: str) -> tuple[str, str]:
    """The mail's own language decides, not the language of whoever happens to press the button."""
    with translation.override(_language_of(body)):
        return gettext("You no longer want to receive these mails?"), gettext("Unsubscribe")


def _language_of(body: str) -> str:
    return "zh-hans" if _CHINESE.search(body) else "en"
