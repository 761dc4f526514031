"""What people may do: look at whom a message went to, take its source, choose the list's columns."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from email_service.send_details import columns, sources
from email_service.send_details.models import ColumnChoice, Event, Message
from iam import audit
from iam.models import User

SOURCE = "source"  # what was shown, where it was not the address alone


@transaction.atomic
def reveal_recipient(message: Message, *, user: User) -> str:
    """Return the recipient's whole address; that it was shown, and to whom, is on record for good."""
    _write_down(message, user)
    return message.recipient


def reveal_source(message: Message, *, user: User) -> bytes:
    """Return the mail as it was sent, with address and personal links; on record like a shown address.

    Raises RuleViolation where it cannot be made any more.
    """
    # Made first, outside of a transaction: attachments come from a storage that takes its time.
    content = sources.source_of(message)
    with transaction.atomic():
        _write_down(message, user, what=SOURCE)
    return content


def _write_down(message: Message, user: User, **detail: str) -> None:
    audit.record(
        tenant=message.tenant,
        user=user,
        action="kooMessage:emailSendDetail:reveal",
        target=str(message.pk),
        **detail,
    )
    Event.objects.create(
        message=message,
        tenant=message.tenant,
        kind=Event.Kind.REVEALED,
        at=timezone.now(),
        detail={"login": user.login, **detail},
    )


def choose_columns(*, user: User, names: Iterable[str]) -> None:
    """Show the user these columns of the list from now on, and those that cannot be hidden."""
    ColumnChoice.objects.update_or_create(user=user, defaults={"columns": columns.tidy(names)})


def reset_columns(*, user: User) -> None:
    """Show the user all columns again, those of later versions too."""
    ColumnChoice.objects.filter(user=user).delete()
