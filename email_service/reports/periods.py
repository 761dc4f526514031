"""Hours, days and months of a report, cut in the account's time zone. No database."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from django.db import models
from django.utils.translation import gettext_lazy as _

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# Longer spans are drawn without their empty hours.
MOST_POINTS = 1000


class Kind(models.TextChoices):
    HOUR = "hour", _("Hourly report")
    DAY = "day", _("Daily report")
    MONTH = "month", _("Monthly report")


_LABELS = {Kind.HOUR: "%Y-%m-%d %H:00:00", Kind.DAY: "%Y-%m-%d", Kind.MONTH: "%Y-%m"}


def earliest(today: date) -> date:
    """Return the first day a report may show: a year ago."""
    return (today.replace(day=28) if (today.month, today.day) == (2, 29) else today).replace(
        year=today.year - 1
    )


def default_range(kind: str, today: date) -> tuple[date, date]:
    """Return the days a report shows at first: yesterday and today by the hour, a month by day, a year by month."""
    if kind == Kind.MONTH:
        return earliest(today), today
    return today - (DAY if kind == Kind.HOUR else 29 * DAY), today


@dataclass(frozen=True)
class Span:
    """Whole days of one time zone, both inclusive, cut into periods of one kind."""

    kind: Kind
    first: date
    last: date
    zone: tzinfo

    @property
    def start(self) -> datetime:
        """The first moment, in UTC; a monthly report begins with the month."""
        day = self.first.replace(day=1) if self.kind == Kind.MONTH else self.first
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    @property
    def end(self) -> datetime:
        """The moment after the last, in UTC."""
        return datetime.combine(self.last + DAY, time(), self.zone).astimezone(UTC)

    def label(self, hour: datetime) -> str:
        """Name the period in which the UTC hour begins; where clocks go back, the second of an hour by its offset."""
        local = hour.astimezone(self.zone)
        if self.kind == Kind.HOUR:
            return local.isoformat(" ") if local.fold else local.strftime("%Y-%m-%d %H:%M:%S")
        return local.strftime(_LABELS[self.kind])

    def labels(self) -> list[str]:
        """Name every period of the span in order, empty ones too; nothing where there are too many to draw."""
        if (self.end - self.start) / HOUR > MOST_POINTS and self.kind == Kind.HOUR:
            return []
        return list(dict.fromkeys(self.label(hour) for hour in self._hours()))

    def _hours(self) -> Iterator[datetime]:
        hour = self.start.replace(minute=0)
        while hour < self.start:
            hour += HOUR
        while hour < self.end:
            yield hour
            hour += HOUR

    @property
    def is_off_the_hour(self) -> bool:
        """True where the zone's days do not begin with a UTC hour, so that a day's edge is not exact."""
        return self.start.minute != 0
