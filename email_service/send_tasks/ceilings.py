"""Token buckets and daily ceilings in the database, where all workers share them."""

import time
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal

from django.db import connection
from django.db.models import (
    CharField,
    DateField,
    DateTimeField,
    F,
    FloatField,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from email_service.send_tasks import parking
from email_service.send_tasks.models import Claim, Meter
from email_service.send_tasks.standing import (
    DESTINATION,
    SENDER,
    TENANT,
    Key,
    Level,
    Limit,
    Standing,
    day_of,
    keys_of,
    sender_key,
)
from email_service.setup.models import SenderLimit
from email_service.setup.queries import NO_TERMS, limit_rows

# Where nothing is limited, so long nobody asks again.
BELIEVED_FOR = 1.0
_nothing_until = 0.0


def read(now: datetime) -> Standing:
    """Return limits and levels by one query; by none where none was found within the last second."""
    global _nothing_until  # noqa: PLW0603 - one a process
    found = Standing(now)
    if time.monotonic() < _nothing_until:
        return found
    rest = (
        Value(None, FloatField()),
        Value(None, DateTimeField()),
        Value(None, DateField()),
        Value(None, IntegerField()),
    )
    # The meters first: they give the columns their types.
    meters = Meter.objects.order_by().values_list(
        "kind", Value(0), "key", *NO_TERMS, "tokens", "filled_at", "day", "used"
    )
    for kind, tenant_id, name, rate, *warmup, tokens, filled_at, day, used in meters.union(
        *limit_rows(*rest), all=True
    ):
        if filled_at is not None:
            found.levels[kind, name] = Level(tokens, filled_at, day, used)
        else:
            found.limits[_key(kind, tenant_id, name)] = Limit(_float(rate), _warmup(*warmup))
    if not found.limits and not found.levels:
        _nothing_until = time.monotonic() + BELIEVED_FOR
    return found


def forget() -> None:
    """Ask again at once, though nothing was limited a moment ago."""
    global _nothing_until  # noqa: PLW0603
    _nothing_until = 0.0


def _key(kind: str, tenant_id: int, name: str) -> Key:
    if kind == SENDER:
        return sender_key(tenant_id, name)
    return (TENANT, str(tenant_id)) if kind == TENANT else (DESTINATION, name)


def _float(rate: Decimal | None) -> float | None:
    return None if rate is None else float(rate)


def _warmup(
    first: int | None, growth: int | None, begins: date | None, ends: date | None, most: int | None
) -> SenderLimit | None:
    if first is None or begins is None:
        return None
    return SenderLimit(
        warmup_first=first,
        warmup_growth=growth or 0,
        warmup_from=begins,
        warmup_until=ends,
        warmup_most=most,
    )


def open_meters(standing: Standing) -> None:
    """Give every limit its meter, outside of any claim: to insert one waits for whoever inserts the same."""
    missing = sorted(key for key in standing.limits if key not in standing.levels)
    if not missing:
        return
    Meter.objects.bulk_create(
        [
            Meter(
                kind=key[0],
                key=key[1],
                tokens=standing.limits[key].burst,
                filled_at=standing.now,
                day=standing.today,
            )
            for key in missing
        ],
        ignore_conflicts=True,
    )


def lock(standing: Standing, keys: Iterable[Key]) -> Standing:
    """Lock the meters of those of the keys that are limited, and return what they say now.

    In a transaction, always in the same order, so that two claims never wait for each other. A limit whose
    meter is not there gives nothing yet.
    """
    limits = {key: standing.limits[key] for key in keys if key in standing.limits}
    found = Standing(standing.now, limits)
    if not limits:
        return found
    chosen = Q()
    for kind, key in limits:
        chosen |= Q(kind=kind, key=key)
    rows = Meter.objects.filter(chosen).order_by("kind", "key")
    if connection.features.has_select_for_update:
        rows = rows.select_for_update(no_key=True)
    for row in rows:
        found.levels[row.kind, row.key] = Level(row.tokens, row.filled_at, row.day, row.used)
    nothing = Level(0.0, standing.now, standing.today, 2**31)
    for limited in limits:
        found.levels.setdefault(limited, nothing)
    return found


def use(locked: Standing, own: Iterable[Key], number: int, taken: Iterable[parking.Candidate]) -> None:
    """Write down that so many messages go; what a claim does not take it never takes out of a bucket."""
    used = Counter((DESTINATION, row.domain) for row in taken) + Counter(dict.fromkeys(own, number))
    for kind, key in sorted(used.keys() & locked.limits.keys()):
        level, gone = locked.levels[kind, key], used[kind, key]
        Meter.objects.filter(kind=kind, key=key).update(
            tokens=locked.tokens((kind, key)) - gone,
            # Another claim's moment may be later though it came first; and a day never begins twice.
            filled_at=max(locked.now, level.filled_at),
            day=max(locked.today, level.day),
            used=locked.used((kind, key)) + gone,
        )


def give_back(token: int, number: int) -> None:
    """Count no longer against the day's ceiling what was claimed under the token and seen by no server."""
    claim = Claim.objects.filter(token=token).select_related("task").first()
    if claim is None or claim.warmup_day is None:
        return
    kind, key = keys_of(claim.task)[1]
    # A day that is over stays as it was.
    Meter.objects.filter(kind=kind, key=key, day=claim.warmup_day, used__gte=number).update(
        used=F("used") - number
    )


def with_use(limits: QuerySet[SenderLimit]) -> QuerySet[SenderLimit]:
    """Add to each sending domain's limit, as `used`, how many messages of today went."""
    key = Concat(Cast("tenant_id", CharField()), Value(":"), "domain")
    meters = Meter.objects.filter(kind=SENDER, key=OuterRef("meter_key"), day=day_of(timezone.now()))
    return limits.annotate(meter_key=key, used=Subquery(meters.values("used")))


def tidy(standing: Standing) -> None:
    """Drop the meters of limits that are no more: those of senders once their day is over, those of
    destinations once nothing is parked there."""
    for kind, key in standing.levels.keys() - standing.limits.keys():
        if kind == DESTINATION and parking.has_any(key):
            continue
        Meter.objects.filter(kind=kind, key=key, day__lt=standing.today).delete()
