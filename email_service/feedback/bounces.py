"""Addresses that receiving servers have given up, suppressed with the outcome that tells it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.db import models, transaction

from email_service.delivery.replies import Cause, explain
from email_service.feedback.models import FullMailbox, Suppression
from email_service.send_details import outcomes
from email_service.send_details.models import Event, Message
from email_service.send_details.outcomes import OutcomeRow

# A full mailbox may be emptied: only so many mails that ended there, over so long, say that nobody reads it.
FULL_TIMES = 5
FULL_FOR = timedelta(days=15)
# What our own look-up in the DNS says for certain: there is no such domain, or it takes no mail.
_NO_DESTINATION = ("5.1.2", "5.1.10")
_REASONS = {Cause.NO_MAILBOX: Suppression.Reason.BOUNCED, Cause.MAILBOX_FULL: Suppression.Reason.FULL}


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that ended because of its recipient's mailbox, and the account's address it tells of."""

    tenant_id: int
    key: str
    address: str
    message_id: int
    reason: str
    note: str


def record(rows: Sequence[OutcomeRow], *, now: datetime) -> frozenset[int]:
    """Write the outcomes down as `outcomes.record` does, and suppress whom they show to be out of reach.

    One transaction: no crash leaves an outcome without its suppression. What else waits for such an address
    is rejected right after it; what a crash leaves of that, workers reject when they come to it.
    """
    refusals = {row.message_id: (row, reason) for row in rows if (reason := _reason_of(row))}
    if not refusals:
        return outcomes.record(rows, now=now)
    with transaction.atomic():
        # First of all: whoever suppresses an address locks its row before messages and hours.
        suppressed = _suppress(_refused(refusals), now)
        written = outcomes.record(rows, now=now)
        _tell(suppressed, now)
    for tenant_id, group in groupby(suppressed, key=lambda refused: refused.tenant_id):
        outcomes.reject_suppressed(tenant_id, [refused.key for refused in group], now=now)
    return written


def _reason_of(row: OutcomeRow) -> str:
    """Say why the recipient may be suppressed; empty where the refusal is about anything else."""
    if row.status not in (Message.Status.FAILED, Message.Status.EXPIRED):
        return ""
    if not row.code:
        return Suppression.Reason.BOUNCED if row.enhanced in _NO_DESTINATION else ""
    return _REASONS.get(explain(row.code, row.enhanced, row.text).cause, "")


def _refused(refusals: dict[int, tuple[OutcomeRow, str]]) -> list[Refused]:
    """Return the refusals whose message is still held by who tells of them, one an address, in order."""
    found: dict[tuple[int, str], Refused] = {}
    held = Message.objects.filter(pk__in=list(refusals), lease_token__isnull=False).order_by("pk")
    for pk, token, tenant_id, address, key in held.values_list(
        "pk", "lease_token", "tenant_id", "recipient", "recipient_key"
    ):
        row, reason = refusals[pk]
        if row.lease_token == token:
            refused = Refused(tenant_id, key, address, pk, reason, _note(row))
            found.setdefault((tenant_id, key), refused)
    return [refused for _place, refused in sorted(found.items())]


def _note(row: OutcomeRow) -> str:
    """Return the server's own words."""
    words = [str(row.code) if row.code else "", row.enhanced, row.text]
    return " ".join(word for word in words if word).replace("\0", "")[:255]


def _suppress(refused: Sequence[Refused], now: datetime) -> list[Refused]:
    """Put the addresses on their accounts' lists, and return those that were not on it before."""
    full = [one for one in refused if one.reason == Suppression.Reason.FULL]
    still_waited_for = {one.message_id for one in full} - {
        one.message_id for one in _full_too_long(full, now)
    }
    gone = [one for one in refused if one.message_id not in still_waited_for]
    Suppression.objects.bulk_create(
        [
            Suppression(
                tenant_id=one.tenant_id,
                address=one.address,
                address_key=one.key,
                reason=one.reason,
                note=one.note,
                message_id=one.message_id,
            )
            for one in gone
        ],
        ignore_conflicts=True,
    )
    new = set(
        Suppression.objects.filter(message__in=[one.message_id for one in gone]).values_list(
            "message_id", flat=True
        )
    )
    return [one for one in gone if one.message_id in new]


def _full_too_long(refused: Sequence[Refused], now: datetime) -> list[Refused]:
    """Count a mail more that ended at each full mailbox, and return those counted often and long enough."""
    if not refused:
        return []
    by_address = {(one.tenant_id, one.key): one for one in refused}
    FullMailbox.objects.bulk_create(
        [FullMailbox(tenant_id=tenant, address_key=key, since=now) for tenant, key in by_address],
        ignore_conflicts=True,
    )
    rows = [
        row
        for row in FullMailbox.objects.filter(**_within(by_address, "address_key"))
        .order_by("tenant_id", "address_key")
        .select_for_update()
        if (row.tenant_id, row.address_key) in by_address
    ]
    for row in rows:
        row.times += 1
    ripe = [row for row in rows if row.times >= FULL_TIMES and now - row.since >= FULL_FOR]
    delivered = _last_delivered({(row.tenant_id, row.address_key) for row in ripe})
    gone = []
    for row in ripe:
        at = delivered.get((row.tenant_id, row.address_key))
        if at is not None and at > row.since:
            row.times, row.since = 1, now
        else:
            gone.append(row)
    FullMailbox.objects.bulk_update(rows, ["times", "since"])
    FullMailbox.objects.filter(pk__in=[row.pk for row in gone]).delete()
    return [by_address[row.tenant_id, row.address_key] for row in gone]


def _last_delivered(addresses: Collection[tuple[int, str]]) -> dict[tuple[int, str], datetime]:
    """Return when each address last took a mail of its account."""
    if not addresses:
        return {}
    rows = Message.objects.filter(status=Message.Status.DELIVERED, **_within(addresses, "recipient_key"))
    latest = rows.order_by().values("tenant_id", "recipient_key").annotate(at=models.Max("finished_at"))
    return {(row["tenant_id"], row["recipient_key"]): row["at"] for row in latest}


def _within(addresses: Iterable[tuple[int, str]], column: str) -> dict[str, list[int] | list[str]]:
    """Return a filter that lets through the addresses, and perhaps some of another account's."""
    tenants, keys = zip(*addresses, strict=True)
    return {"tenant_id__in": sorted(set(tenants)), f"{column}__in": list(keys)}


def _tell(suppressed: Sequence[Refused], now: datetime) -> None:
    Event.objects.bulk_create(
        Event(
            message_id=one.message_id,
            tenant_id=one.tenant_id,
            kind=Event.Kind.SUPPRESSED,
            at=now,
            detail={"reason": one.reason},
        )
        for one in suppressed
    )
