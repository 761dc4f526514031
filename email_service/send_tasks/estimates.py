"""About when a task will have ended: by the limits that operators set, and by how fast mail went lately."""

from datetime import datetime, timedelta

from django.db.models import Sum
from django.utils import timezone

from email_service.send_tasks import ceilings
from email_service.send_tasks.models_workers import Pace
from email_service.send_tasks.standing import TENANT, Key, Standing, domain_of, next_day, sender_key
from iam.models import Tenant

# What takes longer is not foretold.
MOST_DAYS = 366


def end_of(*, tenant: Tenant, sender: str, messages: int, begins_at: datetime) -> datetime | None:
    """Return about when so many messages would be sent, None where nothing tells.

    The account's other tasks, and destinations' limits, are left out of it.
    """
    standing = ceilings.read(timezone.now())
    tenant_key, sender_limit = (TENANT, str(tenant.pk)), sender_key(tenant.pk, domain_of(sender))
    rates = [
        limit.rate for key in (tenant_key, sender_limit) if (limit := standing.limits.get(key)) and limit.rate
    ]
    pace = _recent_pace()
    if pace:
        rates.append(pace)
    rate = min(rates, default=None)
    moment, left = begins_at, messages
    for _day in range(MOST_DAYS):
        room = _room(standing, sender_limit, moment)
        midnight = next_day(moment)
        if room is None and rate is None:
            return None
        today = left if room is None else min(left, room)
        if rate is not None:
            today = min(today, int((midnight - moment).total_seconds() * rate))
        left -= today
        if not left:
            return moment + timedelta(seconds=today / rate if rate else 0)
        moment = midnight
    return None


def _room(standing: Standing, key: Key, moment: datetime) -> int | None:
    """Return how many messages the sending domain's warm-up leaves on the moment's day, None without one."""
    if moment < next_day(standing.now):
        return standing.left_today(key)
    limit = standing.limits.get(key)
    return (
        limit.ceiling_on(timezone.localtime(moment, timezone.get_default_timezone()).date())
        if limit
        else None
    )


def _recent_pace() -> float | None:
    """Return the messages a second of the busiest recent minute: others are slow for want of mail."""
    minutes = Pace.objects.values("minute").annotate(attempts=Sum("attempts"))
    busiest = minutes.order_by("-attempts").values_list("attempts", flat=True).first()
    return busiest / 60 if busiest else None
