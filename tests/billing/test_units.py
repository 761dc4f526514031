"""Mails reserved, used and given back: packages first, then pay-as-you-go; every sum is its ledger's."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from billing import append_only, integrity, services
from billing.models import Account, MoneyEntry, Package, UnitEntry
from iam.models import Tenant
from koomessage.common.errors import RuleViolation
from tests.factories import make_tenant
from tests.factories_billing import give_money, make_package


@pytest.fixture
def payer(db: None) -> Iterator[Tenant]:
    """An account without pay-as-you-go; whatever happens to it, its sums stay those of its ledgers."""
    yield make_tenant(pay_as_you_go=False)
    assert list(integrity.problems()) == []


def sums(package: Package) -> tuple[int, int, int]:
    package.refresh_from_db()
    return package.reserved, package.consumed, package.remaining


def test_the_package_that_ends_first_is_used_first(payer: Tenant):
    late = make_package(payer, units=10, days=60)
    soon = make_package(payer, units=4, days=5)

    services.reserve_units(tenant=payer, reference="C1", units=6)

    assert sums(soon) == (4, 0, 0)
    assert sums(late) == (2, 0, 8)


def test_what_packages_lack_is_taken_as_you_go_where_that_is_on(payer: Tenant):
    Tenant.objects.filter(pk=payer.pk).update(pay_as_you_go=True)
    package = make_package(payer, units=3)

    services.reserve_units(tenant=payer, reference="C1", units=5)

    assert sums(package) == (3, 0, 0)
    assert Account.objects.get(tenant=payer).payg_reserved == 2


def test_without_pay_as_you_go_all_is_refused_or_none(payer: Tenant):
    package = make_package(payer, units=3)

    with pytest.raises(RuleViolation):
        services.reserve_units(tenant=payer, reference="C1", units=4)

    assert sums(package) == (0, 0, 3)


def test_an_ended_package_is_not_used(payer: Tenant):
    make_package(payer, units=3, days=-1)

    with pytest.raises(RuleViolation):
        services.reserve_units(tenant=payer, reference="C1", units=1)
    assert services.remaining_units(payer) == 0


def test_what_is_reserved_is_used_after_the_package_has_ended_and_given_back_to_it(payer: Tenant):
    package = make_package(payer, units=10)
    services.reserve_units(tenant=payer, reference="C1", units=6)
    Package.objects.filter(pk=package.pk).update(expires_at=timezone.now() - timedelta(seconds=1))

    services.settle_units(tenant=payer, reference="C1", consumed=4, released=2)

    assert sums(package) == (0, 4, 6)
    assert services.remaining_units(payer) == 0


def test_a_package_that_ends_at_midnight_in_mid_task_pays_for_what_it_had_reserved(payer: Tenant):
    midnight = timezone.now().replace(microsecond=0) + timedelta(hours=1)
    first = make_package(payer, units=5, expires_at=midnight)
    second = make_package(payer, units=50, days=60)
    with time_machine.travel(midnight - timedelta(seconds=1), tick=False):
        services.reserve_units(tenant=payer, reference="C1", units=8)
        services.settle_units(tenant=payer, reference="C1", consumed=2, released=0)

    with time_machine.travel(midnight, tick=False):
        services.settle_units(tenant=payer, reference="C1", consumed=6, released=1)
        services.reserve_units(tenant=payer, reference="C1", units=4)
        services.settle_units(tenant=payer, reference="C1", consumed=7, released=1)

    # What it had reserved it pays for after its end; rows read later, and what is given back, are the other's.
    assert sums(first) == (0, 5, 0)
    assert sums(second) == (4, 2, 44)


def test_settling_again_or_late_changes_nothing(payer: Tenant):
    package = make_package(payer, units=10)
    services.reserve_units(tenant=payer, reference="C1", units=10)

    for consumed, released in [(3, 1), (5, 2), (5, 2), (3, 1), (0, 0)]:
        services.settle_units(tenant=payer, reference="C1", consumed=consumed, released=released)

    assert sums(package) == (3, 5, 2)
    assert UnitEntry.objects.filter(tenant=payer, kind="consume").count() == 2


def test_more_is_never_settled_than_was_reserved(payer: Tenant):
    package = make_package(payer, units=10)
    services.reserve_units(tenant=payer, reference="C1", units=4)

    services.settle_units(tenant=payer, reference="C1", consumed=9, released=9)
    services.settle_units(tenant=payer, reference="unknown", consumed=1, released=0)

    assert sums(package) == (0, 4, 6)


def test_pay_as_you_go_is_given_back_first(payer: Tenant):
    Tenant.objects.filter(pk=payer.pk).update(pay_as_you_go=True)
    package = make_package(payer, units=3)
    services.reserve_units(tenant=payer, reference="C1", units=5)

    services.settle_units(tenant=payer, reference="C1", consumed=3, released=2)

    assert sums(package) == (0, 3, 0)
    account = Account.objects.get(tenant=payer)
    assert (account.payg_reserved, account.payg_consumed) == (0, 0)


def test_reserving_adds_to_what_the_reference_holds(payer: Tenant):
    package = make_package(payer, units=10)

    services.reserve_units(tenant=payer, reference="C1", units=4)
    services.reserve_units(tenant=payer, reference="C1", units=4)
    services.settle_units(tenant=payer, reference="C1", consumed=8, released=0)

    assert sums(package) == (0, 8, 2)


@pytest.mark.parametrize("units", [0, -1, 10**18])
def test_odd_numbers_are_never_reserved(payer: Tenant, units: int):
    with pytest.raises(ValueError, match="cannot be reserved"):
        services.reserve_units(tenant=payer, reference="C1", units=units)


@pytest.mark.parametrize(
    ("units", "days", "reason"), [(0, 1, "x"), (10**13, 1, "x"), (5, -1, "x"), (5, 1, " ")]
)
def test_a_package_nobody_could_use_is_not_granted(payer: Tenant, units: int, days: int, reason: str):
    with pytest.raises(RuleViolation):
        services.grant_package(
            tenant=payer, name="x", units=units, valid_until=timezone.now() + timedelta(days=days),
            granted_by=None, reason=reason,
        )  # fmt: skip
    assert not Package.objects.exists()


@pytest.mark.parametrize("change", ["update", "delete"])
@pytest.mark.parametrize("ledger", [UnitEntry, MoneyEntry])
def test_the_database_refuses_to_change_a_ledger(payer: Tenant, ledger: type, change: str):
    make_package(payer)
    give_money(payer, "5.00")
    rows = ledger.objects.filter(tenant=payer)

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        rows.update(login="x") if change == "update" else rows._raw_delete(rows.db)

    assert rows.count() == 1


def test_integrity_sees_a_sum_that_is_not_its_ledgers(db: None):
    tenant = make_tenant()
    package = make_package(tenant)
    give_money(tenant, "5.00")
    services.reserve_units(tenant=tenant, reference="C1", units=150)
    Package.objects.filter(pk=package.pk).update(reserved=7)
    Account.objects.filter(tenant=tenant).update(balance="6.00", payg_reserved=1)

    assert len(list(integrity.problems())) == 3


def test_integrity_sees_an_unguarded_ledger(db: None):
    append_only.unguard(connection)

    assert len(list(integrity.problems())) == 4

    append_only.guard(connection)
    assert list(integrity.problems()) == []
