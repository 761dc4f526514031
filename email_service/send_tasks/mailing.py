"""A task's mail, compiled once from what was frozen at submit, and rendered per recipient."""

import logging
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Protocol

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from email_service.delivery import tokens
from email_service.delivery.compose import (
    Attachment,
    CompiledMail,
    Parts,
    PersonalLinks,
    Recipient,
    compile_mail,
)
from email_service.delivery.dkim import DkimSigner
from email_service.delivery.envelopes import Envelope
from email_service.domains import queries as domains
from email_service.feedback import links
from email_service.mail_templates import rendering
from email_service.send_details.models import Message
from email_service.send_tasks.claims import Claimed
from email_service.send_tasks.models import Task
from email_service.send_tasks.turns import Note
from email_service.setup.models import Transport
from koomessage.common import uploads
from koomessage.common.errors import RuleViolation

logger = logging.getLogger(__name__)


class CannotPrepare(Exception):
    """The task's mail cannot be made: the sentence says what is missing."""


class Mailing:
    """One task's mail; its envelopes render when their turn has come, in the engine's threads."""

    def __init__(
        self, mail: CompiledMail, signer: DkimSigner | None, *, bounce_host: str, unsubscribes: bool
    ) -> None:
        self._mail = mail
        self._signer = signer
        self._bounce_host = bounce_host
        self._unsubscribes = unsubscribes
        self._keys = token_keys()
        self._links = links.link_maker()

    def envelopes(
        self,
        messages: tuple[Claimed, ...],
        note: Note,
        made: Callable[[float, float], None],
    ) -> Iterator[Envelope]:
        """Yield one envelope a message; in the note stands whose turn it is before its bytes are made.

        `made` hears the seconds its rendering and its signing took.
        """
        for message in messages:
            # Over whose mail a worker died is made in one go, alone: the next time it is known for certain.
            is_alone = self._signer is None or message.crashes > 0
            yield Envelope(
                message_id=message.id,
                attempt=message.attempts + 1,
                sender=tokens.bounce_sender(message.id, self._bounce_host, self._keys),
                recipient=message.recipient,
                render=self._renderer(message, note, made, signs=is_alone),
                sign=None if is_alone else self._signing(message, note, made),
                is_transparent=True,
            )

    def _renderer(
        self, message: Claimed, note: Note, made: Callable[[float, float], None], *, signs: bool
    ) -> Callable[[], bytes]:
        def render() -> bytes:
            note.write(message.id)
            began_at = time.perf_counter()
            content = rendered(self._mail, message, self._links, unsubscribes=self._unsubscribes)
            rendered_at = time.perf_counter()
            if signs and self._signer is not None:
                content = self._signer.sign(content, is_canonical=True)
            made(rendered_at - began_at, time.perf_counter() - rendered_at)
            note.write(0)
            return content

        return render

    def _signing(
        self, message: Claimed, note: Note, made: Callable[[float, float], None]
    ) -> Callable[[bytes], bytes]:
        signer = self._signer

        def sign(mail: bytes) -> bytes:
            began_at = time.perf_counter()
            with note.holding(message.id):
                signed = signer.sign(mail, is_canonical=True) if signer is not None else mail
            made(0.0, time.perf_counter() - began_at)
            return signed

        return sign


class Personal(Protocol):
    """What is each message's own."""

    @property
    def id(self) -> int: ...
    @property
    def recipient(self) -> str: ...
    @property
    def values(self) -> tuple[str, ...]: ...
    @property
    def accepted_at(self) -> datetime: ...


def rendered(mail: CompiledMail, message: Personal, maker: links.LinkMaker, *, unsubscribes: bool) -> bytes:
    """Return the message's mail, unsigned; the same bytes whenever asked."""
    url = maker.unsubscribe_url(message.id) if unsubscribes else None
    token = maker.tracking_token(message.id) if mail.needs_token else None
    personal = PersonalLinks(url, token)
    return mail.render(
        Recipient(message.id, message.recipient, message.accepted_at, message.values, personal)
    )


def source_of(message: Message) -> bytes:
    """Return the mail that was or will be sent for the message, without its signature.

    Raises RuleViolation where what it was made from cannot be had.
    """
    task = message.task
    try:
        mail = compile_task(task)
        claimed = Claimed(
            message.pk,
            message.recipient,
            message.recipient_key,
            tuple(map(str, message.params)),
            message.attempts,
            message.crashes,
            message.accepted_at,
        )
        unsubscribes = task.template_version.can_unsubscribe
        return rendered(mail, claimed, links.link_maker(), unsubscribes=unsubscribes)
    except (CannotPrepare, uploads.StorageSilent, ValueError) as trouble:
        logger.warning("The source of message %s cannot be made: %s", message.pk, trouble)
        raise RuleViolation(
            _("The source cannot be made now: a part of the mail, such as an attachment, cannot be read.")
        ) from trouble


def compile_task(task: Task, *, tracking_url: str | None = None) -> CompiledMail:
    """Compile what all of the task's recipients share. Raises CannotPrepare, and StorageSilent for files."""
    version = task.template_version
    text, rich = rendering.parts_of(version)
    try:
        files = tuple(
            Attachment(row.name, row.content_type, uploads.read(row.file))
            for row in task.attachments.order_by("pk")
        )
        parts = Parts(task.subject, text, rich, task.sender, task.sender_alias, files)
        return compile_mail(parts, parameters=tuple(version.parameters), tracking_url=tracking_url)
    except (OSError, ValueError) as error:
        raise CannotPrepare(f"The mail cannot be made: {error}") from error


def token_keys() -> tuple[bytes, ...]:
    """Return the keys of links and bounce addresses: the first makes, all are understood."""
    return tuple(key.encode() for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


def prepare(task: Task, *, tracking_url: str | None = None, signs: bool = True) -> Mailing:
    """Compile the task's mail. Raises CannotPrepare when something it needs has gone, and StorageSilent when
    its attachments cannot be had now.

    With a tracking address its links and openings lead there; unsigned is for a relay that signs itself.
    """
    version = task.template_version
    # A kind that only a later version knows would be taken for a relay.
    if (
        Transport.objects.filter(services__tenant=task.tenant_id)
        .exclude(kind__in=Transport.Kind.values)
        .exists()
    ):
        raise CannotPrepare("The account's transport is of a kind this version does not know.")
    key = domains.signing_key(task.domain_id) if task.domain_id else None
    if key is None:
        raise CannotPrepare("The sending domain has no signing key any more.")
    mail = compile_task(task, tracking_url=tracking_url)
    try:
        signer = DkimSigner(key.domain.name, key.selector, key.private_key.encode()) if signs else None
    except ValueError as error:
        raise CannotPrepare(f"The mail cannot be made: {error}") from error
    # At the author's own domain SPF is aligned too, and DMARC passes without the signature.
    bounce_host = settings.PLATFORM_BOUNCE_HOST
    if domains.takes_bounces(key.domain_id):
        bounce_host = key.domain.name
    return Mailing(mail, signer, bounce_host=bounce_host, unsubscribes=version.can_unsubscribe)
