"""What people may do to a message that was sent: look at whom it went to."""

from django.db import transaction
from django.utils import timezone

from email_service.send_details.models import Event, Message
from iam import audit
from iam.models import User


@transaction.atomic
def reveal_recipient(message: Message, *, user: User) -> str:
    """Return the recipient's whole address; that it was shown, and to whom, is on record for good."""
    audit.record(
        tenant=message.tenant, user=user, action="kooMessage:emailSendDetail:reveal", target=str(message.pk)
    )
    Event.objects.create(
        message=message,
        tenant=message.tenant,
        kind=Event.Kind.REVEALED,
        at=timezone.now(),
        detail={"login": user.login},
    )
    return message.recipient
