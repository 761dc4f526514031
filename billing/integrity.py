"""Prove that every sum shown is the sum of its ledger's lines, and that the ledgers are guarded."""

from collections.abc import Iterator
from typing import Any

from django.db import connection, models
from django.db.models import Q, Sum
from django.db.models.functions import Coalesce

from billing import append_only, integrity_usage
from billing.models import Account, MoneyEntry, Order, Package, Payment, Reservation, UnitEntry
from billing.prices import cents


def problems() -> Iterator[str]:
    """Yield a sentence for each sum that is not what its lines say. Reads sums, not lines."""
    for name in append_only.unguarded(connection):
        yield f"The trigger {name} is missing: its ledger could be changed."
    yield from _packages()
    yield from _accounts()
    yield from _reservations()
    yield from _orders()
    yield from _receipts()
    yield from integrity_usage.problems()


def _units(*kinds: str) -> Coalesce:
    return Coalesce(Sum("units", filter=Q(kind__in=kinds)), 0, output_field=models.BigIntegerField())


def _sums(entries: models.QuerySet[UnitEntry], *by: str) -> dict[Any, tuple[int, int, int, int]]:
    """Return bought, reserved, used and given back in all, for each group of lines."""
    groups = (
        entries.order_by()
        .values(*by)
        .annotate(
            bought=_units("purchase", "grant"),
            reserved=_units("reserve"),
            used=_units("consume"),
            given=_units("release"),
        )
    )
    return {
        row[: len(by)]: row[len(by) :]
        for row in groups.values_list(*by, "bought", "reserved", "used", "given")
    }


def _packages() -> Iterator[str]:
    sums = _sums(UnitEntry.objects.exclude(package=None), "package_id")
    for package in Package.objects.order_by("pk").iterator():
        bought, reserved, used, given = sums.pop((package.pk,), (0, 0, 0, 0))
        shown = (package.total, package.reserved, package.consumed)
        lines = (bought, reserved - used - given, used)
        if shown != lines:
            yield f"Package {package.pk}: total, reserved, used are {shown}, its ledger says {lines}."


def _accounts() -> Iterator[str]:
    units = _sums(UnitEntry.objects.filter(package=None), "tenant_id")
    money = dict(MoneyEntry.objects.order_by().values_list("tenant_id").annotate(Sum("amount")))
    for account in Account.objects.order_by("pk").iterator():
        _, reserved, used, given = units.pop((account.tenant_id,), (0, 0, 0, 0))
        shown = (account.payg_reserved, account.payg_consumed)
        lines = (reserved - used - given, used)
        if shown != lines:
            yield f"Account {account.tenant_id}: pay-as-you-go reserved, used are {shown}, the ledger says {lines}."
        balance = cents(money.pop(account.tenant_id, None))
        if account.balance != balance:
            yield f"Account {account.tenant_id}: the balance is {account.balance}, the ledger says {balance}."
        if account.is_in_arrears != (account.arrears_since is not None):
            yield f"Account {account.tenant_id}: its arrears do not follow from its balance."
    for tenant in sorted({key[0] for key in units} | set(money)):
        yield f"Account {tenant}: ledger lines without a billing account."


def _reservations() -> Iterator[str]:
    held = UnitEntry.objects.filter(kind__in=("reserve", "consume", "release"))
    sums = _sums(held, "tenant_id", "reference", "package_id")
    for row in Reservation.objects.order_by("pk").iterator():
        lines = sums.pop((row.tenant_id, row.reference, row.package_id), (0, 0, 0, 0))[1:]
        shown = (row.reserved, row.consumed, row.released)
        if shown != lines:
            yield f"Reservation {row.reference}: reserved, used, given back are {shown}, the ledger says {lines}."
    for _, reference, _ in sums:
        yield f"Reservation {reference}: ledger lines without a reservation."


def _orders() -> Iterator[str]:
    """A paid order has one payment of its amount and its packages; any other has neither."""
    paid = dict(
        MoneyEntry.objects.filter(kind=MoneyEntry.Kind.PAYMENT)
        .order_by()
        .values_list("order_id")
        .annotate(Sum("amount"))
    )
    done = dict(
        Payment.objects.filter(status=Payment.Status.SUCCEEDED)
        .order_by()
        .values_list("order_id")
        .annotate(models.Count("pk"))
    )
    rows = Order.objects.annotate(packages_count=models.Count("packages"), units_sum=Sum("packages__total"))
    for order in rows.order_by("pk").iterator():
        is_paid = order.status == Order.Status.PAID
        if cents(paid.get(order.pk)) != (-order.amount if is_paid else 0):
            yield f"Order {order.number}: the payment in the ledger is not its amount."
        if done.get(order.pk, 0) != is_paid:
            yield f"Order {order.number}: its payments do not say whether it is paid."
        wanted = (order.quantity, order.all_units) if is_paid else (0, 0)
        if (order.packages_count, order.units_sum or 0) != wanted:
            yield f"Order {order.number}: its packages are not what was ordered."


def _receipts() -> Iterator[str]:
    """What payments say they received stands in the money ledger, order by order."""
    kinds = (MoneyEntry.Kind.TRANSFER, MoneyEntry.Kind.ONLINE)
    lines = (
        MoneyEntry.objects.filter(kind__in=kinds).order_by().values_list("order_id").annotate(Sum("amount"))
    )
    rows = Payment.objects.arrived().order_by().values_list("order_id").annotate(Sum("received"))
    booked, received = dict(lines), dict(rows)
    for number in sorted(set(booked) | set(received)):
        told, written = received.get(number), booked.get(number)
        if told != written:
            yield f"Order {number}: its payments received {told}, the ledger says {written}."
