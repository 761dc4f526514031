"""额度暂停: tasks that go beyond packages stand still while their account is in arrears, and go on by themselves.

What packages pay for is sent all the same: a task pauses where its open reservation holds mails as you go.
"""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from billing.queries import unpaid_references
from email_service.send_tasks import reasons, steps
from email_service.send_tasks.models import Task

REASON = reasons.keep("arrears")


def follow() -> None:
    """Pause and resume what the accounts' balances ask for, by so many statements whatever the number of tasks."""
    unpaid = unpaid_references()
    sending = Task.objects.filter(status=Task.Status.SENDING, code__in=unpaid)
    _move(sending, Task.Status.QUOTA_PAUSED, REASON)
    paused = Task.objects.filter(status=Task.Status.QUOTA_PAUSED, status_reason=REASON)
    _move(paused.exclude(code__in=unpaid), Task.Status.SENDING, "")


@transaction.atomic
def _move(tasks: QuerySet[Task], status: str, reason: str) -> None:
    """Move the tasks and note the step; nobody else changes them meanwhile."""
    locked = tasks.order_by("pk").select_for_update(of=("self",), no_key=True)
    ids = list(locked.values_list("pk", flat=True))
    if ids:
        Task.objects.filter(pk__in=ids).update(status=status, status_reason=reason)
        steps.note_each(ids, steps.STEP_INTO[status], at=timezone.now())
