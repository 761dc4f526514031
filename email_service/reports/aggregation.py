"""Make hourly counts anew from rows: never added to, so that counting twice is counting once."""

from collections import Counter
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Sum

from email_service.reports.models import COUNTS, HourTotal, Report
from email_service.send_details import closing
from email_service.send_details.models import DirtyHour, Message

HOUR = timedelta(hours=1)
# Which column of a report counts a status; cancelled messages are in none.
COLUMN_OF = {
    Message.Status.DELIVERED: "succeeded",
    Message.Status.FAILED: "failed",
    Message.Status.EXPIRED: "failed",
    Message.Status.PENDING: "pending",
    Message.Status.HELD: "pending",
    Message.Status.REJECTED: "rejected",
}


def refresh(now: datetime, limit: int = 500) -> int:
    """Count up to `limit` marked hours anew, those marked longest ago first; return how many were."""
    marked = DirtyHour.objects.order_by("marked_at", "pk").values_list("task_id", "hour")[:limit]
    return sum(recount(task_id, hour, now) for task_id, hour in list(marked))


@transaction.atomic
def recount(task_id: int, hour: datetime, now: datetime) -> bool:
    """Write the counts of one hour of a task and take its mark away; False where somebody did so already.

    The report's row is the lock: of two workers the second counts after the first has written. A mark that
    was set again meanwhile stays, since its outcome may have come after the count.
    """
    mark = DirtyHour.objects.filter(task=task_id, hour=hour)
    found = mark.values_list("tenant_id", flat=True).first()
    if found is None:
        return False
    Report.objects.bulk_create(
        [Report(tenant_id=found, task_id=task_id, hour=hour, updated_at=now)], ignore_conflicts=True
    )
    row = Report.objects.select_for_update().get(task=task_id, hour=hour)
    marked_at = mark.values_list("marked_at", flat=True).first()
    if marked_at is None:
        return False
    Report.objects.filter(pk=row.pk).update(**counts_of(task_id, hour), updated_at=now)
    add_up(found, hour)
    mark.filter(marked_at=marked_at).delete()
    return True


def add_up(tenant_id: int, hour: datetime) -> None:
    """Write the sum of an account's reports for the hour; to be called where one of them was written.

    The total's row is the lock, taken after the report's: who gets it second sees what the first has written.
    """
    HourTotal.objects.bulk_create([HourTotal(tenant_id=tenant_id, hour=hour)], ignore_conflicts=True)
    row = HourTotal.objects.select_for_update().get(tenant=tenant_id, hour=hour)
    sums = Report.objects.filter(tenant=tenant_id, hour=hour).aggregate(
        **{name: Sum(name, default=0) for name in COUNTS}
    )
    HourTotal.objects.filter(pk=row.pk).update(**sums)


def counts_of(task_id: int, hour: datetime) -> dict[str, int]:
    """Count the task's messages accepted in the hour, removed ones included, by the columns of a report."""
    counts: Counter[str] = Counter(dict.fromkeys(COUNTS, 0))
    for (status,), number in closing.count("status", task=task_id, start=hour, end=hour + HOUR).items():
        if status in COLUMN_OF:
            counts[COLUMN_OF[Message.Status(status)]] += number
    return dict(counts)
