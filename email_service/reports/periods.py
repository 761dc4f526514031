"""Hours, days and months of a report, cut in the account's time zone. No database."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# Longer spans are drawn without their empty hours.
MOST_POINTS = 1000


class Kind(models.TextChoices):
    HOUR = "hour", _("Hourly report")
    DAY = "day", _("Daily report")
    MONTH = "month", _("Monthly report")


# How much of a local time, written as ISO 8601 has it, names its period.
_LENGTHS = {Kind.HOUR: 19, Kind.DAY: 10, Kind.MONTH: 7}
PRESETS: dict[str, Promise] = {
    "today": _("Today"), "yesterday": _("Yesterday"), "week": _("Last 7 days"), "thirty": _("Last 30 days"),
    "month": _("This month"), "last_month": _("Last month"), "year": _("Last year"),
}  # fmt: skip


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


def preset(name: str, today: date) -> tuple[date, date]:
    """Return the days that a preset means today."""
    first_of_month = today.replace(day=1)
    end_of_last_month = first_of_month - DAY
    return {
        "today": (today, today),
        "yesterday": (today - DAY, today - DAY),
        "week": (today - 6 * DAY, today),
        "thirty": (today - 29 * DAY, today),
        "month": (first_of_month, today),
        "last_month": (end_of_last_month.replace(day=1), end_of_last_month),
        "year": (earliest(today), today),
    }[name]


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
        text = local.isoformat(" ", "seconds")
        return text if local.fold and self.kind == Kind.HOUR else text[: _LENGTHS[self.kind]]

    def period(self, hour: datetime) -> tuple[datetime, datetime]:
        """Return the UTC moments from which, and before which, the hour's period counts within the span."""
        if self.kind == Kind.HOUR:
            return hour, hour + HOUR
        day = hour.astimezone(self.zone).date()
        after = day + DAY
        if self.kind == Kind.MONTH:
            day = day.replace(day=1)
            after = (day + 31 * DAY).replace(day=1)
        return max(self._first_hour(day), self.whole[0]), min(self._first_hour(after), self.whole[1])

    @property
    def whole(self) -> tuple[datetime, datetime]:
        """The UTC moments from which, and before which, the hours begin that the span holds."""
        return _full_hour(self.start), _full_hour(self.end)

    def _first_hour(self, day: date) -> datetime:
        return _full_hour(datetime.combine(day, time(), self.zone).astimezone(UTC))

    def written(self, moment: datetime) -> str:
        """Write a moment as filters read it; with its offset where clocks show that time twice."""
        local = moment.astimezone(self.zone)
        is_twofold = local.replace(fold=1 - local.fold).utcoffset() != local.utcoffset()
        text = local.isoformat("T", "seconds")
        return text if is_twofold else text[:19]

    def labels(self) -> list[str]:
        """Name every period of the span in order, empty ones too; nothing where there are too many to draw."""
        if (self.end - self.start) / HOUR > MOST_POINTS and self.kind == Kind.HOUR:
            return []
        return [self.label(hour) for hour in self.beginnings()]

    def beginnings(self) -> list[datetime]:
        """Return the UTC hours with which the periods begin, in order."""
        hour, end = self.whole
        found = []
        while hour < end:
            found.append(hour)
            hour = self.period(hour)[1]
        return found

    @property
    def is_off_the_hour(self) -> bool:
        """True where the zone's days do not begin with a UTC hour, so that a day's edge is not exact."""
        return self.start.minute != 0


def _full_hour(moment: datetime) -> datetime:
    """Return the moment, or the next full hour of UTC."""
    full = moment.replace(minute=0, second=0, microsecond=0)
    return full if full == moment else full + HOUR
