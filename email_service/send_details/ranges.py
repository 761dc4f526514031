"""Ranges of time that people ask for by name, as moments."""

from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Range(models.TextChoices):
    TODAY = "today", _("Today")
    YESTERDAY = "yesterday", _("Yesterday")
    WEEK = "7d", _("Last 7 days")
    MONTH = "30d", _("Last 30 days")
    ALL = "all", _("All time")
    CUSTOM = "custom", _("Custom range")


# Days before today on which it begins, and after which it ends.
_DAYS: dict[str, tuple[int, int | None]] = {
    Range.TODAY: (0, None),
    Range.YESTERDAY: (1, 0),
    Range.WEEK: (6, None),
    Range.MONTH: (29, None),
}
_SMALLEST = timedelta(microseconds=1)


def bounds(name: str, now: datetime | None = None) -> tuple[datetime | None, datetime | None]:
    """Return the first and the last moment of a named range in the account's time zone; None: open."""
    if name not in _DAYS:
        return None, None
    first, last = _DAYS[name]
    start = _midnight(timezone.localtime(now), first)
    return start, None if last is None else _midnight(timezone.localtime(now), last) - _SMALLEST


def _midnight(local: datetime, days_ago: int) -> datetime:
    day = (local - timedelta(days=days_ago)).date()
    # Made anew from the day, as a clock may have been put forward or back since.
    return timezone.make_aware(datetime.combine(day, datetime.min.time()))
