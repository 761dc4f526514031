"""Decisions about who is not written to any more: the recipient's own, and the account's."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from email_service.feedback.links import read_unsubscribe_token
from email_service.feedback.models import Suppression
from email_service.send_details import outcomes
from email_service.send_details.models import Event, Message
from iam import audit
from iam.models import Tenant, User
from koomessage.common.errors import RuleViolation
from koomessage.common.mailbox import BadAddress, normalise

_RESOURCE = "kooMessage:suppression"


@dataclass(frozen=True)
class Invitation:
    """What an unsubscribe page says: who writes, to whom, and whether that has ended already."""

    sender: str
    recipient: str
    is_unsubscribed: bool


def read_invitation(token: str) -> Invitation | None:
    """Return what the link in a mail is about, None where we did not make it; changes nothing."""
    message = _message_of(token)
    if message is None:
        return None
    return Invitation(
        sender=message.task.sender_alias or message.tenant.name,
        recipient=message.recipient,
        is_unsubscribed=Suppression.objects.for_tenant(message.tenant)
        .filter(address_key=message.recipient_key)
        .exists(),
    )


@transaction.atomic
def unsubscribe(token: str) -> bool:
    """Stop the account's mail to the message's recipient at once; True also when that was so already.

    False: the token is none of ours. Mail still waiting for the address ends as rejected.
    """
    message = _message_of(token)
    if message is None:
        return False
    now = timezone.now()
    _row, is_new = Suppression.objects.get_or_create(
        tenant=message.tenant,
        address_key=message.recipient_key,
        defaults={"address": message.recipient, "reason": Suppression.Reason.UNSUBSCRIBED},
    )
    if is_new or not message.events.filter(kind=Event.Kind.UNSUBSCRIBED).exists():
        Event.objects.create(message=message, tenant=message.tenant, kind=Event.Kind.UNSUBSCRIBED, at=now)
    _stop_waiting(message.tenant, message.recipient_key, now)
    return True


@transaction.atomic
def add_suppression(*, tenant: Tenant, user: User, address: str, note: str = "") -> Suppression:
    """Put an address on the account's list by hand. Refuses a bad address, and one that is on it."""
    try:
        mailbox = normalise(address)
    except BadAddress as error:
        raise RuleViolation(
            _("This is not an e-mail address; enter one such as name@example.com."), field="address"
        ) from error
    row, is_new = Suppression.objects.get_or_create(
        tenant=tenant,
        address_key=mailbox.key,
        defaults={"address": mailbox.address, "reason": Suppression.Reason.MANUAL, "note": note},
    )
    if not is_new:
        raise RuleViolation(_("This address is on the suppression list already."), field="address")
    _stop_waiting(tenant, mailbox.key, timezone.now())
    audit.record(tenant=tenant, user=user, action=f"{_RESOURCE}:create", target=mailbox.address)
    return row


@transaction.atomic
def delete_suppression(row: Suppression, *, user: User) -> None:
    """Let the account write to the address again; mail that was rejected meanwhile stays so."""
    audit.record(
        tenant=row.tenant, user=user, action=f"{_RESOURCE}:delete", target=row.address, reason=row.reason
    )
    row.delete()


def _message_of(token: str) -> Message | None:
    message_id = read_unsubscribe_token(token)
    if message_id is None:
        return None
    return Message.objects.select_related("tenant", "task").filter(pk=message_id).first()


def _stop_waiting(tenant: Tenant, key: str, now: datetime) -> None:
    # What a worker holds at this moment is stopped by its own look at the list, right before it sends.
    outcomes.reject_suppressed(tenant.pk, [key], now=now)
