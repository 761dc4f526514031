"""What operators decide about mail under way."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from email_service.send_details import outcomes
from email_service.send_details.models import Message
from email_service.send_tasks import jobs, progress
from email_service.send_tasks.models import Task
from email_service.setup import services as setup_services
from iam import audit
from iam.models import User
from koomessage.common.errors import RuleViolation

# What an operator may say of a message in doubt -> what the message becomes, and who ended it.
DECISIONS = {
    "resend": (Message.Status.PENDING, ""),
    "delivered": (Message.Status.DELIVERED, ""),
    # Nobody pays for a mail of which nobody knows that it came.
    "failed": (Message.Status.FAILED, Message.EndReason.PLATFORM),
}


@transaction.atomic
def decide_held(message: Message, *, decision: str, user: User) -> bool:
    """Send a message in doubt again, or say how it ended; False where it had been decided so before.

    Raises RuleViolation where it was decided otherwise, and where its task was cancelled meanwhile.
    """
    status, reason = DECISIONS[decision]
    # The lock keeps out a cancellation, which would leave behind what is pending only after it has looked.
    task = Task.objects.select_for_update(of=("self",), no_key=True).get(pk=message.task_id)
    if decision == "resend" and task.status == Task.Status.CANCELLED:
        raise RuleViolation(
            _("The task was cancelled; its mails are not sent any more. Say how this one ended.")
        )
    if not outcomes.decide_held(message.pk, status, now=timezone.now(), reason=reason):
        if _was_decided_so(message, status):
            return False
        raise RuleViolation(_("Somebody has decided otherwise meanwhile. Open the send details to see how."))
    audit.record(
        tenant=message.tenant,
        user=user,
        action=f"kooMessage:emailSendDetail:decide:{decision}",
        target=str(message.pk),
        task=task.code,
    )
    progress.refresh_small(task.pk)
    if decision == "resend":
        jobs.hint_on_commit(jobs.deliver)
    return True


@transaction.atomic
def resume_all(*, user: User) -> None:
    """Let the platform send again, at once rather than with the next sweep."""
    if setup_services.resume_platform(user=user):
        jobs.hint_on_commit(jobs.deliver)


def _was_decided_so(message: Message, status: str) -> bool:
    last = message.events.filter(kind="decided").order_by("-pk").first()
    return last is not None and last.detail.get("status") == status
