"""额度暂停: tasks that go beyond packages stand still while their account is in arrears, and go on by themselves.

What packages pay for is sent all the same: a task pauses where its open reservation holds mails as you go.
"""

from billing.queries import unpaid_references
from email_service.send_tasks import reasons
from email_service.send_tasks.models import Task

REASON = reasons.keep("arrears")


def follow() -> None:
    """Pause and resume what the accounts' balances ask for: two conditional UPDATEs, whatever the number of tasks."""
    unpaid = unpaid_references()
    Task.objects.filter(status=Task.Status.SENDING, code__in=unpaid).update(
        status=Task.Status.QUOTA_PAUSED, status_reason=REASON
    )
    paused = Task.objects.filter(status=Task.Status.QUOTA_PAUSED, status_reason=REASON)
    paused.exclude(code__in=unpaid).update(status=Task.Status.SENDING, status_reason="")
