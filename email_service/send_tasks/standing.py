"""How much may go now: token buckets and daily ceilings, reckoned from what was read of them. No database."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from math import ceil

from django.utils import timezone

from email_service.send_tasks.models import Meter, Task
from email_service.setup.models import SenderLimit

Key = tuple[str, str]
TENANT, SENDER, DESTINATION = Meter.Kind.TENANT.value, Meter.Kind.SENDER.value, Meter.Kind.DESTINATION.value
# Tokens are given out by this part of a second: one by one they would cost a claim each.
GRAIN = 0.25
_ALMOST = 1e-6


@dataclass(frozen=True, slots=True)
class Limit:
    """What an operator set; `warmup` is a row that was never saved, for the one rule it knows."""

    rate: float | None
    warmup: SenderLimit | None = None

    @property
    def burst(self) -> float:
        return max(1.0, self.rate or 0.0)

    def ceiling_on(self, day: date) -> int | None:
        return self.warmup.ceiling_on(day) if self.warmup else None


@dataclass(slots=True)
class Level:
    """What a meter said when it was read."""

    tokens: float
    filled_at: datetime
    day: date
    used: int


@dataclass
class Standing:
    """The limits there are, and what is left of each at one moment."""

    now: datetime
    limits: dict[Key, Limit] = field(default_factory=dict)
    levels: dict[Key, Level] = field(default_factory=dict)

    @property
    def today(self) -> date:
        return day_of(self.now)

    def tokens(self, key: Key) -> float:
        limit, level = self.limits[key], self.levels.get(key)
        if level is None or limit.rate is None:
            return limit.burst
        waited = max(0.0, (self.now - level.filled_at).total_seconds())
        return min(limit.burst, level.tokens + waited * limit.rate)

    def used(self, key: Key) -> int:
        """Return how much of the day's ceiling is used; a day that has begun elsewhere is today."""
        level = self.levels.get(key)
        return level.used if level is not None and level.day >= self.today else 0

    def left_today(self, key: Key) -> int | None:
        """Return how many messages the day's ceiling leaves; None where there is none."""
        limit = self.limits.get(key)
        level = self.levels.get(key)
        day = max(self.today, level.day) if level is not None else self.today
        ceiling = limit.ceiling_on(day) if limit is not None else None
        return None if ceiling is None else max(0, ceiling - self.used(key))

    def room(self, key: Key) -> int | None:
        """Return how many messages may go now: 0 while it is not worth a claim, None without a limit."""
        limit = self.limits.get(key)
        if limit is None:
            return None
        rooms = [] if (left := self.left_today(key)) is None else [left]
        if limit.rate is not None:
            tokens = self.tokens(key) + _ALMOST
            rooms.append(int(tokens) if tokens >= _grain(limit) else 0)
        return min(rooms, default=None)

    def share(self, destination: str) -> int | None:
        """Return how many messages one claim may send there now: half of a full bucket is left to the next
        claim, which may be another account's. None without a limit."""
        key = (DESTINATION, destination)
        room = self.room(key)
        return None if room is None else min(room, max(ceil(_grain(self.limits[key])), ceil(room / 2)))

    def smallest(self, size: int, *keys: Key) -> int:
        return min([size, *(room for key in keys if (room := self.room(key)) is not None)])

    @property
    def destinations(self) -> list[str]:
        """Return the destinations at which messages are parked, or will be."""
        return sorted({key for kind, key in (*self.limits, *self.levels) if kind == DESTINATION})

    @property
    def open_destinations(self) -> list[str]:
        """Return those of which parked messages may go now: also those that are limited no more."""
        return [name for name in self.destinations if self.room((DESTINATION, name)) != 0]

    @property
    def closed(self) -> list[Key]:
        """Return the accounts and sending domains that may send nothing now."""
        return [key for key in self.limits if key[0] != DESTINATION and self.room(key) == 0]

    def as_if_full(self) -> "Standing":
        """Return what is left where no tokens were used, the days' ceilings as they are."""
        levels = {key: replace(level, tokens=float("inf")) for key, level in self.levels.items()}
        return replace(self, levels=levels)

    def wait(self) -> float:
        """Return in how many seconds the first of the empty buckets gives something."""
        waits = [
            (_grain(limit) - tokens) / limit.rate
            for key, limit in self.limits.items()
            if limit.rate and (tokens := self.tokens(key)) < _grain(limit)
        ]
        return min(waits, default=0.0)

    def terms(self, task: Task) -> object:
        """Return what was decided about the task's mail; something else means an operator changed it."""
        own = [self.limits[key] for key in keys_of(task) if key in self.limits]
        named = [(limit.rate, *_terms(limit.warmup)) for limit in own]
        elsewhere = [(key, limit.rate) for key, limit in self.limits.items() if key[0] == DESTINATION]
        return named, sorted(elsewhere)


def _grain(limit: Limit) -> float:
    return min(limit.burst, max(1.0, (limit.rate or 0.0) * GRAIN))


def _terms(row: SenderLimit | None) -> tuple[object, ...]:
    if row is None:
        return ()
    return row.warmup_first, row.warmup_growth, row.warmup_from, row.warmup_until, row.warmup_most


def day_of(moment: datetime) -> date:
    """Return the day by the platform's time zone, whatever the reader's is."""
    return timezone.localtime(moment, timezone.get_default_timezone()).date()


def next_day(moment: datetime) -> datetime:
    """Return when the platform's next day begins."""
    midnight = datetime.combine(day_of(moment) + timedelta(days=1), datetime.min.time())
    return timezone.make_aware(midnight, timezone.get_default_timezone())


def sender_key(tenant_id: int, domain: str) -> Key:
    return SENDER, f"{tenant_id}:{domain}"


def domain_of(sender: str) -> str:
    return sender.rpartition("@")[2].lower()


def keys_of(task: Task) -> tuple[Key, Key]:
    return (TENANT, str(task.tenant_id)), sender_key(task.tenant_id, domain_of(task.sender))
