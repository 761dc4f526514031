"""A task's mail, compiled once from what was frozen at submit, and rendered per recipient."""

import time
from collections.abc import Callable, Iterator

from django.conf import settings

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
from email_service.send_tasks.claims import Claimed
from email_service.send_tasks.models import Task
from email_service.send_tasks.turns import Note
from email_service.setup.models import Transport
from koomessage.common import uploads


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
            url = self._links.unsubscribe_url(message.id) if self._unsubscribes else None
            token = self._links.tracking_token(message.id) if self._mail.needs_token else None
            recipient = Recipient(
                message.id, message.recipient, message.accepted_at, message.values, PersonalLinks(url, token)
            )
            content = self._mail.render(recipient)
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
    text, rich = rendering.parts_of(version)
    try:
        files = tuple(
            Attachment(row.name, row.content_type, uploads.read(row.file))
            for row in task.attachments.order_by("pk")
        )
        parts = Parts(task.subject, text, rich, task.sender, task.sender_alias, files)
        mail = compile_mail(parts, parameters=tuple(version.parameters), tracking_url=tracking_url)
        signer = DkimSigner(key.domain.name, key.selector, key.private_key.encode()) if signs else None
    except (OSError, ValueError) as error:
        raise CannotPrepare(f"The mail cannot be made: {error}") from error
    # At the author's own domain SPF is aligned too, and DMARC passes without the signature.
    bounce_host = settings.PLATFORM_BOUNCE_HOST
    if domains.takes_bounces(key.domain_id):
        bounce_host = key.domain.name
    return Mailing(mail, signer, bounce_host=bounce_host, unsubscribes=version.can_unsubscribe)
