"""What operators decide about mail under way."""

import time
from collections import Counter

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from email_service.operations.doubts import MOST_AT_ONCE, decidable
from email_service.send_details import outcomes
from email_service.send_details.models import Message
from email_service.send_tasks import jobs, progress
from email_service.send_tasks.models import Task
from email_service.setup import services as setup_services
from iam import audit
from iam.models import User
from koomessage.common.errors import RuleViolation

BATCH = 1_000
MOST_SECONDS = 5.0  # that somebody waits for the answer
# Tasks counted anew at once after a decision about many messages.
MOST_COUNTED = 20
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
    if not outcomes.decide_held([message.pk], status, now=timezone.now(), reason=reason):
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


def decide_all(rows: QuerySet[Message], *, decision: str, user: User) -> int:
    """Decide alike all messages in doubt that the query finds, and return how many that were.

    Batch by batch, each in a transaction of its own, until MOST_AT_ONCE are decided or MOST_SECONDS are over: the
    rest is left for another time. Left alone is what somebody decided meanwhile, and what would be sent again
    of a cancelled task.
    """
    tasks: Counter[int] = Counter()
    found = decidable(rows, decision).order_by("pk").values_list("pk", flat=True)
    last, deadline = 0, time.monotonic() + MOST_SECONDS
    while tasks.total() < MOST_AT_ONCE and time.monotonic() < deadline:
        batch = list(found.filter(pk__gt=last)[:BATCH])
        if not batch:
            break
        last = batch[-1]
        tasks += _decide_batch(batch, decision, user)
    # The sweep counts large tasks, and so it does the rest of very many.
    for task in sorted(tasks)[:MOST_COUNTED]:
        progress.refresh_small(task)
    if decision == "resend" and tasks:
        jobs.hint_on_commit(jobs.deliver)
    return tasks.total()


@transaction.atomic
def _decide_batch(message_ids: list[int], decision: str, user: User) -> Counter[int]:
    status, reason = DECISIONS[decision]
    # As for a single one, the locks keep out cancellations; in order, so that two decisions do not cross.
    concerned = Task.objects.filter(pk__in=Message.objects.filter(pk__in=message_ids).values("task"))
    locked = concerned.select_related("tenant").order_by("pk").select_for_update(of=("self",), no_key=True)
    tasks = {task.pk: task for task in locked}
    if decision == "resend":
        going = [pk for pk, task in tasks.items() if task.status != Task.Status.CANCELLED]
        allowed = Message.objects.filter(pk__in=message_ids, task__in=going)
        message_ids = list(allowed.values_list("pk", flat=True))
    decided = outcomes.decide_held(message_ids, status, now=timezone.now(), reason=reason)
    audit.record_each(
        [(tasks[task].tenant, tasks[task].code, {"messages": number}) for task, number in decided.items()],
        user=user,
        action=f"kooMessage:emailSendDetail:decide:{decision}",
    )
    return decided


@transaction.atomic
def resume_all(*, user: User) -> None:
    """Let the platform send again, at once rather than with the next sweep."""
    if setup_services.resume_platform(user=user):
        jobs.hint_on_commit(jobs.deliver)


def _was_decided_so(message: Message, status: str) -> bool:
    last = message.events.filter(kind="decided").order_by("-pk").first()
    return last is not None and last.detail.get("status") == status
