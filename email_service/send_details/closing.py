"""What is known of messages after they were removed: their counts, kept for good beside the rows that are left."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection, models
from django.db.models import Count, Sum

from email_service.send_details.models import ClosedCount, ClosedEvent, Message


def count(
    *by: str,
    hour: type[models.Func] | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    **scope: Any,
) -> Counter[tuple[Any, ...]]:
    """Count messages by columns, those removed since included: accepted from `start` on and before `end`.

    `hour` makes a moment's hour, by which `at_hour` then groups. One statement: a removal that commits meanwhile
    moves messages from the one half to the other, and is seen in both or in neither.
    """
    rows, closed = Message.objects.filter(**scope), ClosedCount.objects.filter(**scope)
    if start is not None:
        rows, closed = rows.filter(accepted_at__gte=start), closed.filter(hour__gte=start)
    if end is not None:
        rows, closed = rows.filter(accepted_at__lt=end), closed.filter(hour__lt=end)
    if hour is not None:
        rows, closed = rows.annotate(at_hour=hour("accepted_at")), closed.annotate(at_hour=hour("hour"))
    found: Counter[tuple[Any, ...]] = Counter()
    counted = rows.order_by().values_list(*by).annotate(found=Count("pk"))
    kept = closed.order_by().values_list(*by).annotate(found=Sum("number"))
    for *place, number in counted.union(kept, all=True):
        found[tuple(place)] += number
    return found


def removed(task_id: int) -> int:
    """Return how many of the task's messages were removed."""
    return ClosedCount.objects.filter(task=task_id).aggregate(all=Sum("number"))["all"] or 0


def add_messages(counts: Mapping[tuple[int, int, datetime, str, str], int]) -> None:
    """Add to what is kept, by (tenant, task, hour, status, reason), in the transaction that removes the rows."""
    _add(ClosedCount, ("tenant_id", "task_id", "hour", "status", "end_reason"), counts)


def add_events(counts: Mapping[tuple[int, int, datetime, str], int]) -> None:
    """The same for events, by (tenant, task, hour, kind)."""
    _add(ClosedEvent, ("tenant_id", "task_id", "hour", "kind"), counts)


def _add(model: type[models.Model], columns: tuple[str, ...], counts: Mapping[tuple[Any, ...], int]) -> None:
    table, adapt = model._meta.db_table, connection.ops.adapt_datetimefield_value
    marks = ", ".join(["%s"] * (len(columns) + 1))
    # In order, so that two removals at once never wait for each other in a circle.
    rows = [
        [*(adapt(value) if isinstance(value, datetime) else value for value in place), number]
        for place, number in sorted(counts.items())
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} ({', '.join(columns)}, number) VALUES ({marks}) "  # noqa: S608  our own names
            f"ON CONFLICT ({', '.join(columns[1:])}) DO UPDATE SET number = {table}.number + excluded.number",
            rows,
        )
