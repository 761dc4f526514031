"""What an account is told by mail, each once: a package ends, or is mostly used; few mails remain; arrears."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any

from django.conf import settings
from django.db.models import F, Max, Q, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.models import Account, Notice, Package
from billing.prices import written
from iam.models import Tenant
from iam.notices import send_to_account

logger = logging.getLogger(__name__)
# Days before the end of a package; the nearest that applies is told.
DAYS_AHEAD = (1, 7, 30)
MOST_A_RUN = 200
SUBJECTS: dict[str, Promise] = {
    Notice.Kind.EXPIRY: _("A package ends soon"),
    Notice.Kind.SHARE: _("A package is mostly used"),
    Notice.Kind.REMAINING: _("Few mails remain in your packages"),
    Notice.Kind.ARREARS: _("Your account is in arrears"),
}
_LEFT = F("total") - F("reserved") - F("consumed")


@dataclass(frozen=True)
class Due:
    """A mail that should have been sent by now."""

    tenant: Tenant
    kind: str
    key: str
    words: dict[str, Any] = field(default_factory=dict)


def tell_due() -> int:
    """Send what accounts should know and were not told, and return how many mails that were.

    Two at once send each once: whoever writes the row sends. A mail that cannot be sent is tried at the next run.
    """
    now, sent = timezone.now(), 0
    for due in islice(_untold(chain(_packages(now), _remaining(now), _arrears())), MOST_A_RUN):
        notice, is_new = Notice.objects.get_or_create(
            tenant=due.tenant, kind=due.kind, key=due.key, defaults={"at": now}
        )
        if not is_new:
            continue
        try:
            _send(due)
        except Exception as trouble:
            # The mail server is away: the rest waits, too.
            notice.delete()
            logger.warning("Account %s is told later: %s", due.tenant.account, trouble)
            break
        sent += 1
    return sent


def _untold(dues: Iterable[Due]) -> Iterator[Due]:
    """Leave out what was told before, by one query for many."""
    dues = iter(dues)
    while chunk := list(islice(dues, 500)):
        known = set(
            Notice.objects.filter(key__in={due.key for due in chunk}).values_list("tenant_id", "kind", "key")
        )
        yield from (due for due in chunk if (due.tenant.pk, due.kind, due.key) not in known)


def _packages(now: datetime) -> Iterator[Due]:
    """Yield what is to be said of packages that units can be taken from: the nearest day, and the share used."""
    percents = dict(Account.objects.values_list("tenant_id", "alert_percent"))
    for package in Package.objects.usable(now).select_related("tenant").iterator(chunk_size=2000):
        words = {"package": package, "remaining": f"{package.remaining:,}"}
        left = package.expires_at - now
        near = [days for days in DAYS_AHEAD if left <= timedelta(days=days)]
        if near:
            yield Due(package.tenant, Notice.Kind.EXPIRY, f"{package.pk}:{near[0]}", words)
        percent = percents.get(package.tenant_id)
        used = package.total - package.remaining
        if percent and used * 100 >= percent * package.total:
            yield Due(
                package.tenant, Notice.Kind.SHARE, f"{package.pk}:{percent}", {**words, "percent": percent}
            )


def _remaining(now: datetime) -> Iterator[Due]:
    """Yield the accounts whose packages hold no more than they wanted to be told; a new package counts anew."""
    wanting = Account.objects.filter(alert_remaining__gt=0)
    usable = Q(expires_at__gt=now)
    sums = Package.objects.filter(tenant__in=wanting.values("tenant")).order_by().values_list("tenant_id")
    held = {
        tenant: (newest, left or 0)
        for tenant, newest, left in sums.annotate(newest=Max("pk"), left=Sum(_LEFT, filter=usable))
    }
    for account in wanting.select_related("tenant"):
        newest, left = held.get(account.tenant_id, (None, 0))
        if newest and left <= (account.alert_remaining or 0):
            key = f"{newest}:{account.alert_remaining}"
            yield Due(account.tenant, Notice.Kind.REMAINING, key, {"remaining": f"{left:,}"})


def _arrears() -> Iterator[Due]:
    for account in Account.objects.filter(arrears_since__isnull=False).select_related("tenant"):
        words = {
            "balance": written(account.balance, account.currency),
            "suspended_from": account.suspended_from,
        }
        yield Due(account.tenant, Notice.Kind.ARREARS, f"{account.arrears_since:%Y-%m-%dT%H:%M:%S}", words)


def _send(due: Due) -> None:
    page = "billing:balance" if due.kind == Notice.Kind.ARREARS else "billing:package_list"
    link = settings.BASE_URL + reverse(page)
    send_to_account(due.tenant, SUBJECTS[due.kind], f"billing/mail/{due.kind}.txt", link=link, **due.words)
