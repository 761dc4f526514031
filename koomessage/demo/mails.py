"""A received mail taken apart for its reader."""

import base64
import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage

from django.utils.html import format_html
from django.utils.safestring import SafeString

ADDRESS = re.compile(r"https?://[^\s<>\"']+")
BASE = '<base target="_blank" rel="noopener">'
# What a mail may do in its frame: show itself, and open links in a page of its own.
FRAME_POLICY = (
    "default-src 'none'; img-src data: 'self'; style-src 'unsafe-inline'; font-src data:; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


@dataclass(frozen=True)
class Part:
    """A file that came with the mail; `position` names it in its address."""

    position: int
    name: str
    content_type: str
    content: bytes

    @property
    def size(self) -> int:
        return len(self.content)


class ReceivedMail:
    """One mail, parsed when asked; whatever is broken in it reads as empty."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.message = message

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Every header in its order, as it came."""
        head = self.content.replace(b"\r\n", b"\n").split(b"\n\n", 1)[0].decode("utf-8", "replace")
        unfolded = re.split(r"\n(?![ \t])", head)
        return [
            (name, value.strip()) for name, _, value in (line.partition(":") for line in unfolded) if name
        ]

    def header(self, name: str) -> str:
        try:
            return str(self.message[name] or "")
        except Exception:  # the standard parser raises many kinds on hostile headers
            return ""

    @property
    def source(self) -> str:
        return self.content.decode("utf-8", "replace")

    @property
    def text(self) -> str:
        return self._body("plain")

    @property
    def html(self) -> str:
        """The HTML part, its own pictures put in place, links opening outside the frame."""
        body = self._body("html")
        for part in self.message.walk():
            content_id = str(part["content-id"] or "").strip("<> ")
            if content_id and part.get_content_maintype() == "image":
                picture = base64.b64encode(_payload(part)).decode()
                body = body.replace(f"cid:{content_id}", f"data:{part.get_content_type()};base64,{picture}")
        return f"<!doctype html><meta charset=utf-8>{BASE}{body}" if body else ""

    @property
    def text_with_links(self) -> SafeString:
        """The text with its addresses as links, everything else escaped."""
        shown, end, text = SafeString(""), 0, self.text
        for found in ADDRESS.finditer(text):
            shown += format_html(
                '{}<a href="{}" target="_blank" rel="noopener">{}</a>',
                text[end : found.start()],
                found[0],
                found[0],
            )
            end = found.end()
        return shown + format_html("{}", text[end:])

    @property
    def attachments(self) -> list[Part]:
        return [
            Part(position, part.get_filename() or "-", part.get_content_type(), _payload(part))
            for position, part in enumerate(self.message.walk())
            if part.get_content_disposition() == "attachment"
        ]

    def _body(self, kind: str) -> str:
        try:
            part = self.message.get_body((kind,))
            return str(part.get_content()) if part is not None else ""
        except (LookupError, ValueError, AttributeError):
            return ""


def _payload(part: EmailMessage) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
