"""Uploaded HTML files: from bytes in any of the usual charsets to text."""

import codecs
import re

from django.template.defaultfilters import filesizeformat
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from koomessage.common.errors import RuleViolation

MAX_LENGTH = 2**20  # characters, however many octets a charset takes for each
MAX_BYTES = 4 * MAX_LENGTH
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_META = re.compile(rb"<meta[^<>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
# Browsers read these names as the larger sets; files that say gb2312 hold GBK characters as a rule.
_LARGER = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "cp1252",
}
_MARKUP = re.compile(r"<[a-zA-Z!/]")


def read_html(name: str, content: bytes) -> str:
    """Return the file's text: its charset from a byte order mark, else its meta element, else by trial.

    Raises RuleViolation for another kind of file, one over 1 MiB once it is decoded, and what is no text.
    """
    if not name.lower().endswith((".html", ".htm")):
        raise RuleViolation(_("Choose a file whose name ends in .html."), field="html_file")
    text = _decode(content) if len(content) <= MAX_BYTES else ""
    if len(content) > MAX_BYTES or len(text) > MAX_LENGTH:
        raise RuleViolation(
            format_lazy(_("The file is larger than {most}."), most=filesizeformat(MAX_LENGTH)),
            field="html_file",
        )
    if "\x00" in text or not _MARKUP.search(text):
        raise RuleViolation(
            _("The file holds no HTML. Save the mail as a web page and upload that."), field="html_file"
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decode(content: bytes) -> str:
    for mark, charset in _BOMS:
        if content.startswith(mark):
            return content[len(mark) :].decode(charset, errors="replace")
    for charset in (
        _named(content),
        "utf-8",
        "utf-16-le" if content[1:2] == b"\x00" else "",
        "gb18030",
        "cp1252",
    ):
        if charset:
            try:
                return content.decode(charset)
            except (UnicodeDecodeError, LookupError):
                continue
    return content.decode("latin-1")


def _named(content: bytes) -> str:
    found = _META.search(content[:4096])
    if found is None:
        return ""
    name = found[1].decode("ascii").lower()
    try:
        # Codecs such as "hex" or "rot13" are no charsets; those that are encode a letter to bytes.
        is_charset = codecs.lookup(name)._is_text_encoding and not name.startswith(
            ("utf-7", "utf7", "idna", "punycode")
        )
    except LookupError:
        return ""
    # A meta element that could be read as ASCII proves that the file is not UTF-16, whatever it says.
    return (
        _LARGER.get(name, name)
        if is_charset and not name.startswith(("utf-16", "utf-32", "utf16", "utf32"))
        else ""
    )
