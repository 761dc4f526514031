"""Settle usage: what an account used as you go in an hour becomes one line of the money ledger, once.

Usage is settled up to a moment, under the account's lock. Lines of the unit ledger are written under the same lock and
never bear a time before that moment (`billing.services.settle_units`), so a settled hour is complete and stays so.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import groupby

from django.db import transaction
from django.db.models import Exists, OuterRef, Sum, Value
from django.db.models.functions import Coalesce, TruncHour
from django.utils import timezone

from billing.costs import month_of, settled_units, unsettled_usage
from billing.ledger import change_sum, lock_account
from billing.models import Account, HourUsage, MoneyEntry, PriceTier, UnitEntry
from billing.prices import ZERO, Tier, usage_amount
from iam.models import Tenant

logger = logging.getLogger(__name__)
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
# Since when they are valid, and the prices of that moment.
Version = tuple[datetime, list[Tier]]


class NoPrices(Exception):
    """Nothing says what a mail cost in that hour."""


def full_hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def settle_usage(until: datetime | None = None) -> int:
    """Settle all accounts' hours that ended by then, and return how many hours that were.

    Safe to run twice, or twice at once; killed in between it goes on where it was. An account in whose currency
    there are no prices waits for them.
    """
    now = timezone.now()
    end = full_hour(min(until or now, now))
    settled = 0
    for account in _waiting(end):
        try:
            settled += settle_account(account.tenant, end)
        except NoPrices as lack:
            logger.warning("The usage of account %s waits: %s", account.tenant.account, lack)
        except Exception:
            # One account's trouble is not the others'; the next run tries again.
            logger.exception("The usage of account %s is not settled.", account.tenant.account)
    return settled


def _waiting(end: datetime) -> list[Account]:
    """Return the accounts that used mails before the end and have not settled them."""
    lines = UnitEntry.objects.filter(
        tenant=OuterRef("tenant"),
        kind=UnitEntry.Kind.CONSUME,
        at__gte=Coalesce(OuterRef("usage_settled_until"), Value(BEGINNING)),
        at__lt=end,
    )
    return list(Account.objects.filter(Exists(lines)).select_related("tenant").order_by("pk"))


@transaction.atomic
def settle_account(tenant: Tenant, end: datetime) -> int:
    """Settle one account's hours before the end, all of them or none; return how many."""
    account = lock_account(tenant)
    used = list(
        unsettled_usage(tenant, account.usage_settled_until)
        .filter(at__lt=end)
        .order_by()
        .annotate(hour=TruncHour("at", tzinfo=UTC))
        .values_list("hour", "package_id")
        .annotate(used=Sum("units"))
        .order_by("hour", "package_id")
    )
    if not used:
        return 0
    HourUsage.objects.bulk_create(
        (
            HourUsage(tenant=tenant, hour=hour, package_id=package, units=units)
            for hour, package, units in used
        ),
        batch_size=500,
    )
    as_you_go = [(hour, units) for hour, package, units in used if package is None]
    entries = _priced(tenant, account.currency, as_you_go, timezone.now())
    MoneyEntry.objects.bulk_create(entries, batch_size=500)
    account.usage_settled_until = end
    account.save(update_fields=["usage_settled_until"])
    change_sum(account, sum((entry.amount for entry in entries), ZERO), timezone.now())
    return len({hour for hour, _, _ in used})


def _priced(
    tenant: Tenant, currency: str, hours: Sequence[tuple[datetime, int]], now: datetime
) -> list[MoneyEntry]:
    """Price the hours in their order: each counts on from those of the same month before it."""
    versions = _versions(currency) if hours else []
    before: dict[date, int] = {}
    entries = []
    for hour, units in hours:
        month = month_of(tenant, hour)
        if month not in before:
            before[month] = settled_units(tenant, month)
        since, tiers = _in_force(versions, hour)
        entry = MoneyEntry(
            tenant=tenant,
            kind=MoneyEntry.Kind.USAGE,
            amount=-usage_amount(tiers, units, used_before=before[month]),
            currency=currency,
            reason=f"{hour:%Y-%m-%dT%H:00Z}",
            at=now,
            hour=hour,
            month=month,
            units=units,
            priced_from=since,
        )
        entries.append(entry)
        before[month] += units
    return entries


def _versions(currency: str) -> list[Version]:
    rows = PriceTier.objects.filter(currency=currency).order_by("valid_from", "from_units")
    lines = rows.values_list("valid_from", "from_units", "price")
    return [
        (since, [(start, price) for _, start, price in tiers])
        for since, tiers in groupby(lines, key=lambda line: line[0])
    ]


def _in_force(versions: Sequence[Version], hour: datetime) -> Version:
    begun = [version for version in versions if version[0] <= hour]
    if not begun:
        raise NoPrices(f"no price is in force at {hour:%Y-%m-%d %H:%M}.")
    return begun[-1]
