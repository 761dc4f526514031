"""What the page 发送引擎 says of the limits operators set: how much of each is used just now."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from email_service.send_tasks import parking
from email_service.send_tasks.models import Meter
from email_service.send_tasks.standing import DESTINATION, SENDER, Key, Standing
from iam.models import Tenant

MOST_ROWS = 20
# So many parked messages of a destination are counted: as many as the page counts of any queue.
SAMPLE = 10_000
PAGES = {
    Meter.Kind.TENANT: "admin:email_service_emailservice_changelist",
    Meter.Kind.SENDER: "admin:email_service_senderlimit_changelist",
    Meter.Kind.DESTINATION: "admin:email_service_destinationlimit_changelist",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One limit, and what is left of it: tokens of this second, messages of this day."""

    kind: Meter.Kind
    name: str
    account: str
    rate: float | None
    left: int | None
    ceiling: int | None
    used: int
    parked: int
    is_reached: bool

    @property
    def url(self) -> str:
        """Where an operator changes it."""
        return f"{reverse(PAGES[self.kind])}?{urlencode({'q': self.name or self.account})}"


@dataclass(frozen=True, slots=True)
class Limits:
    lines: list[Line]
    number: int

    @property
    def is_cut(self) -> bool:
        return self.number > len(self.lines)


def parked(standing: Standing) -> dict[str, int]:
    """Count, up to SAMPLE each, the messages that wait for a destination's limit."""
    return {
        name: parking.parked(standing.now, [name])[:SAMPLE].count()
        for name in standing.destinations[:MOST_ROWS]
    }


def limits(standing: Standing, waiting: Mapping[str, int]) -> Limits:
    """Return the limits with their use, those that keep mail back first, and how many there are in all."""
    keys = sorted(standing.limits, key=lambda key: (standing.room(key) != 0, key))
    shown = keys[:MOST_ROWS]
    owners = {int(key[1].partition(":")[0]) for key in shown if key[0] != DESTINATION}
    accounts = dict(Tenant.objects.filter(pk__in=owners).values_list("pk", "account")) if owners else {}
    return Limits([_line(standing, key, accounts, waiting) for key in shown], len(keys))


def _line(standing: Standing, key: Key, accounts: Mapping[int, str], waiting: Mapping[str, int]) -> Line:
    kind, name = key
    limit = standing.limits[key]
    account = ""
    if kind != DESTINATION:
        owner, _colon, name = name.partition(":")
        account = accounts.get(int(owner), owner)
    return Line(
        Meter.Kind(kind),
        name,
        account,
        limit.rate,
        None if limit.rate is None else int(standing.tokens(key)),
        limit.ceiling_on(standing.today) if kind == SENDER else None,
        standing.used(key),
        waiting.get(name, 0) if kind == DESTINATION else 0,
        standing.left_today(key) == 0,
    )
