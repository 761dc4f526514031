"""Mail compiled once per template and joined per recipient.

Every attempt at a message has the same bytes: nothing here reads a clock or draws a number.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from email_service.delivery.bodies import Body, base64_lines, encode_body, tidy
from email_service.delivery.headers import (
    content_type,
    date_field,
    disposition_field,
    from_field,
    mail_digest,
    message_id_header,
    safe_file_names,
    subject_field,
    to_field,
    unsubscribe_fields,
)
from email_service.delivery.routing import recipient_domain
from email_service.delivery.slots import UNSUBSCRIBE, UNSUBSCRIBE_SLOT, Slotted, cut_at_slots
from email_service.delivery.tracking import TRACK, add_tracking

__all__ = [
    "UNSUBSCRIBE_SLOT",
    "Attachment",
    "CompiledMail",
    "Parts",
    "PersonalLinks",
    "Recipient",
    "compile_mail",
    "message_id_header",
]


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Parts:
    """What a task sends to everybody, before anything personal is filled in."""

    subject: str
    text: str
    html: str | None
    from_address: str
    from_alias: str = ""
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class PersonalLinks:
    unsubscribe_url: str | None = None
    tracking_token: str | None = None


_NO_LINKS = PersonalLinks()


@dataclass(frozen=True, slots=True)
class Recipient:
    message_id: int
    address: str
    accepted_at: datetime
    values: tuple[str, ...] = ()
    links: PersonalLinks = _NO_LINKS


class CompiledMail:
    """One mail for many recipients; made by `compile_mail`."""

    def __init__(
        self,
        parts: Parts,
        *,
        parameters: int,
        subject: Slotted,
        text: Body,
        rich: Body | None,
        unsubscribes: bool,
        tracks: bool,
    ) -> None:
        self.needs_unsubscribe = unsubscribes
        self.needs_token = tracks
        self._parameters = parameters
        self._subject = subject
        self._fixed_subject = None if subject.holes else subject_field(subject.pieces[0])
        self._from = from_field(parts.from_address, parts.from_alias)
        self._domain = recipient_domain(parts.from_address)
        self._text = text
        self._rich = rich
        names = safe_file_names(file.name for file in parts.attachments)
        self._files = [_attached(file, name) for file, name in zip(parts.attachments, names, strict=True)]

    def render(self, recipient: Recipient) -> bytes:
        """Answer the whole mail for one recipient, unsigned.

        Raises ValueError when values or links are missing, or the address cannot stand in a header.
        """
        if len(recipient.values) != self._parameters:
            raise ValueError(f"The mail takes {self._parameters} values, not {len(recipient.values)}.")
        url = recipient.links.unsubscribe_url
        if self.needs_unsubscribe and url is None:
            raise ValueError("The mail has an unsubscribe link, and no address was given for it.")
        token = recipient.links.tracking_token
        if self.needs_token and token is None:
            raise ValueError("The mail has tracked links, and no token was given for them.")

        values = (*recipient.values, url or "", token or "")
        digest = mail_digest(recipient.message_id, recipient.accepted_at, self._domain)
        chunks = [
            self._from,
            to_field(recipient.address),
            self._fixed_subject or subject_field(self._subject.fill(values)),
            date_field(recipient.accepted_at),
            f"Message-ID: <{recipient.message_id}.{digest}@{self._domain}>\r\n".encode("ascii"),
        ]
        if url is not None:
            chunks.append(unsubscribe_fields(url))
        chunks.append(b"MIME-Version: 1.0\r\n")
        if self._files:
            self._add_mixed(chunks, values, digest)
        else:
            self._add_text(chunks, values, digest)
        chunks.append(b"\r\n")
        return b"".join(chunks)

    def _add_mixed(self, chunks: list[bytes], values: Sequence[str], digest: str) -> None:
        # "=_" occurs in neither encoding, so no content can hold a boundary.
        boundary = f"=_m{digest}".encode("ascii")
        chunks.append(b'Content-Type: multipart/mixed;\r\n boundary="' + boundary + b'"\r\n\r\n')
        chunks.append(b"--" + boundary + b"\r\n")
        self._add_text(chunks, values, digest)
        for file in self._files:
            chunks.append(b"\r\n--" + boundary + b"\r\n")
            chunks.append(file)
        chunks.append(b"\r\n--" + boundary + b"--")

    def _add_text(self, chunks: list[bytes], values: Sequence[str], digest: str) -> None:
        if self._rich is None:
            _add_part(chunks, b"plain", self._text, values)
            return
        boundary = f"=_a{digest}".encode("ascii")
        chunks.append(b'Content-Type: multipart/alternative;\r\n boundary="' + boundary + b'"\r\n\r\n')
        chunks.append(b"--" + boundary + b"\r\n")
        _add_part(chunks, b"plain", self._text, values)
        chunks.append(b"\r\n--" + boundary + b"\r\n")
        _add_part(chunks, b"html", self._rich, values)
        chunks.append(b"\r\n--" + boundary + b"--")


def _add_part(chunks: list[bytes], kind: bytes, body: Body, values: Sequence[str]) -> None:
    encoding = body.encoding.encode("ascii")
    chunks.append(
        b"Content-Type: text/" + kind + b"; charset=utf-8\r\nContent-Transfer-Encoding: " + encoding
    )
    chunks.append(b"\r\n\r\n")
    chunks.append(body.render(values))


def _attached(file: Attachment, name: str) -> bytes:
    fields = f"Content-Type: {content_type(file.content_type)}\r\nContent-Transfer-Encoding: base64\r\n"
    content = base64_lines(file.content)[:-2] if file.content else b""
    return fields.encode("ascii") + disposition_field(name) + b"\r\n" + content


def compile_mail(
    parts: Parts, *, parameters: tuple[str, ...] = (), tracking_url: str | None = None
) -> CompiledMail:
    """Encode once what all recipients share. With a tracking address, links and openings lead to it.

    Raises ValueError for a slot that is no parameter, and for a sender that is not one address.
    """
    positions = {name: number for number, name in enumerate(parameters)}
    positions[UNSUBSCRIBE] = unsubscribe = len(parameters)
    subject = cut_at_slots(parts.subject, positions)
    text = cut_at_slots(tidy(parts.text), positions)
    rich = None
    if parts.html is not None:
        document = tidy(parts.html)
        if tracking_url is not None:
            document, _ = add_tracking(document, tracking_url)
            positions[TRACK] = len(parameters) + 1
        rich = cut_at_slots(document, positions)
    return CompiledMail(
        parts,
        parameters=len(parameters),
        subject=subject,
        text=encode_body(text),
        rich=None if rich is None else encode_body(rich, escape=html.escape),
        unsubscribes=unsubscribe in text.holes or (rich is not None and unsubscribe in rich.holes),
        tracks=TRACK in positions,
    )
