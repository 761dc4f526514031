"""What must be true of reports: an hour without a mark says what its messages say, a total what its reports say."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime

from django.db.models import Sum

from email_service.reports.aggregation import COLUMN_OF
from email_service.reports.hours import UtcHour, moment_of
from email_service.reports.models import COUNTS, HourTotal, Report
from email_service.send_details import closing
from email_service.send_details.models import DirtyHour, Message
from koomessage.common.integrity import Check

_Place = tuple[int, int, datetime]


def checks() -> Iterator[Check]:
    """Count all messages by account, task and hour, and hold the reports against that."""
    counted = _from_rows()
    shown = {
        (tenant, task, hour): dict(zip(COUNTS, figures, strict=True))
        for tenant, task, hour, *figures in Report.objects.values_list("tenant", "task", "hour", *COUNTS)
    }
    marked = set(DirtyHour.objects.values_list("task", "hour"))
    places = [place for place in sorted(set(counted) | set(shown)) if place[1:] not in marked]
    nothing = dict.fromkeys(COUNTS, 0)
    yield Check(
        f"reports say what their messages say ({len(marked)} hours wait to be counted)",
        len(places),
        tuple(
            f"account {place[0]}, task {place[1]}, {place[2]:%Y-%m-%d %H}:00 UTC: "
            f"shows {shown.get(place, nothing)}, has {counted.get(place, nothing)}"
            for place in places
            if shown.get(place, nothing) != counted.get(place, nothing)
        ),
    )
    yield _totals()


def _totals() -> Check:
    summed = {
        (tenant, hour): tuple(figures)
        for tenant, hour, *figures in Report.objects.order_by()
        .values_list("tenant", "hour")
        .annotate(*(Sum(name) for name in COUNTS))
    }
    shown = {
        (tenant, hour): tuple(figures)
        for tenant, hour, *figures in HourTotal.objects.values_list("tenant", "hour", *COUNTS)
    }
    marked = set(DirtyHour.objects.values_list("tenant", "hour"))
    places = sorted((set(summed) | set(shown)) - marked)
    nothing = (0,) * len(COUNTS)
    return Check(
        "an account's total of an hour is the sum of its reports",
        len(places),
        tuple(
            f"account {place[0]}, {place[1]:%Y-%m-%d %H}:00 UTC: "
            f"shows {shown.get(place, nothing)}, has {summed.get(place, nothing)}"
            for place in places
            if shown.get(place, nothing) != summed.get(place, nothing)
        ),
    )


def _from_rows() -> dict[_Place, dict[str, int]]:
    counted: defaultdict[_Place, Counter[str]] = defaultdict(lambda: Counter(dict.fromkeys(COUNTS, 0)))
    found = closing.count("tenant", "task", "at_hour", "status", hour=UtcHour)
    for (tenant, task, hour, status), number in found.items():
        if status in COLUMN_OF:
            counted[tenant, task, moment_of(hour)][COLUMN_OF[Message.Status(status)]] += number
    return {place: dict(counts) for place, counts in counted.items()}
