"""Reserve, use and give back mails: packages first, the one that ends first in front, then pay-as-you-go.

What is reserved stays valid after its package has ended; what is given back after that ends with the package.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.ledger import add_package, lock_account
from billing.models import Account, Package, Reservation, UnitEntry
from billing.queries import pay_as_you_go_obstacle
from iam import audit
from iam.models import Tenant, User
from koomessage.common.errors import RuleViolation

logger = logging.getLogger(__name__)
Kind = UnitEntry.Kind
MOST_UNITS = 10**12


def remaining_units(tenant: Tenant) -> int:
    """Return how many mails the account's packages still pay for."""
    usable = Package.objects.for_tenant(tenant).usable(timezone.now()).order_by()
    left = usable.aggregate(left=Sum(F("total") - F("reserved") - F("consumed")))["left"]
    return int(left or 0)


@transaction.atomic
def reserve_units(*, tenant: Tenant, reference: str, units: int) -> None:
    """Reserve so many more mails for the reference, all or none.

    Raises RuleViolation where the packages do not suffice and pay-as-you-go is off or the account in arrears.
    """
    if not 0 < units <= MOST_UNITS:
        raise ValueError(f"{units} mails cannot be reserved")
    account = lock_account(tenant)
    now = timezone.now()
    left = units
    taken: list[tuple[Package | None, int]] = []
    for package in Package.objects.for_tenant(tenant).usable(now):
        part = min(package.remaining, left)
        taken.append((package, part))
        left -= part
        if not left:
            break
    if left:
        if refusal := pay_as_you_go_obstacle(account, left):
            raise RuleViolation(refusal)
        taken.append((None, left))
    for source, part in taken:
        _move(account, source, reserved=part)
        held, _made = Reservation.objects.get_or_create(tenant=tenant, reference=reference, package=source)
        held.reserved += part
        held.save(update_fields=["reserved"])
    _write(account, reference, Kind.RESERVE, taken, now, why="Submitted for sending")


@transaction.atomic
def settle_units(*, tenant: Tenant, reference: str, consumed: int, released: int) -> None:
    """Bring the reference to so many mails used and given back in all.

    The totals only move forward: an older call, or the same once more, changes nothing. Mails are used from the
    package that ends first; pay-as-you-go is given back first, then the package that ends last.
    """
    account = lock_account(tenant)
    held = _reservations(tenant, reference)
    use = max(0, consumed - sum(row.consumed for row in held))
    give = max(0, released - sum(row.released for row in held))
    if not use and not give:
        return
    # An hour that is settled stays as it is: a clock that is behind writes into the next.
    now = max(timezone.now(), account.usage_settled_until or datetime.min.replace(tzinfo=UTC))
    over = use + give - sum(row.open for row in held)
    used = _spread(held, use, "consumed")
    given = _spread(held[::-1], give, "released")
    for row in held:
        row.save(update_fields=["consumed", "released"])
    for package, part in used:
        _move(account, package, reserved=-part, consumed=part)
    for package, part in given:
        _move(account, package, reserved=-part)
    _write(account, reference, Kind.CONSUME, used, now, why="Sent to the recipient's server")
    _write(account, reference, Kind.RELEASE, given, now, why="Not sent")
    if over > 0:
        logger.warning("%s settled %s mails more than it had reserved", reference, over)


def _reservations(tenant: Tenant, reference: str) -> list[Reservation]:
    rows = Reservation.objects.for_tenant(tenant).filter(reference=reference).select_related("package")
    return list(rows.order_by(F("package__expires_at").asc(nulls_last=True), "package_id"))


def _spread(rows: Sequence[Reservation], units: int, field: str) -> list[tuple[Package | None, int]]:
    """Book units on the open parts of the rows, in their order; return what went where."""
    booked: list[tuple[Package | None, int]] = []
    for row in rows:
        part = min(row.open, units)
        if part:
            setattr(row, field, getattr(row, field) + part)
            booked.append((row.package, part))
            units -= part
    return booked


def _move(account: Account, package: Package | None, *, reserved: int = 0, consumed: int = 0) -> None:
    """Keep the sums beside the ledger in step with it."""
    if package:
        Package.objects.filter(pk=package.pk).update(
            reserved=F("reserved") + reserved, consumed=F("consumed") + consumed
        )
    else:
        Account.objects.filter(pk=account.pk).update(
            payg_reserved=F("payg_reserved") + reserved, payg_consumed=F("payg_consumed") + consumed
        )


def _write(
    account: Account,
    reference: str,
    kind: UnitEntry.Kind,
    parts: Iterable[tuple[Package | None, int]],
    now: datetime,
    *,
    why: str,
) -> None:
    UnitEntry.objects.bulk_create(
        UnitEntry(
            tenant_id=account.tenant_id,
            kind=kind,
            package=package,
            reference=reference,
            units=part,
            why=why,
            at=now,
        )
        for package, part in parts
    )


@transaction.atomic
def grant_package(
    *, tenant: Tenant, name: str, units: int, valid_until: datetime, granted_by: User | None, reason: str
) -> Package:
    """Give the account a package without an order. Raises RuleViolation for one that could never be used."""
    if not 0 < units <= MOST_UNITS:
        raise RuleViolation(_("A package holds 1 to %(most)s mails.") % {"most": MOST_UNITS}, field="total")
    if valid_until <= timezone.now():
        raise RuleViolation(_("The end of a package's validity lies in the future."), field="expires_at")
    if not reason.strip():
        raise RuleViolation(_("Say why the package is granted."), field="reason")
    lock_account(tenant)
    package = add_package(
        Package(tenant=tenant, name=name, total=units, expires_at=valid_until),
        kind=Kind.GRANT,
        reference="",
        why=reason,
        login=granted_by.login if granted_by else "",
    )
    audit.record(tenant=tenant, user=granted_by, action="kooMessage:package:create", target=name, units=units)
    return package
