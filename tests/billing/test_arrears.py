"""Arrears: who owes more than it may gets nothing more as you go, once its grace is over."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client

from billing import integrity, services, services_money, services_payments, settlement
from billing.models import Account
from billing.queries import unpaid_references
from iam.models import AuditEntry, Tenant
from koomessage.common.errors import RuleViolation
from tests.factories import make_tenant
from tests.factories_billing import give_money, make_order, make_package, make_tiers, use_units

EIGHT = datetime(2030, 9, 12, 0, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def payer(db: None) -> Iterator[Tenant]:
    make_tiers((0, "0.1000"))
    yield make_tenant(pay_as_you_go=True)
    assert list(integrity.problems()) == []


def owe(tenant: Tenant, units: int) -> Account:
    """Use and settle mails at a dime each, and return the account."""
    use_units(tenant, units, at=EIGHT)
    with time_machine.travel(EIGHT + HOUR, tick=False):
        settlement.settle_usage()
    return Account.objects.get(tenant=tenant)


def reserves(tenant: Tenant, at: datetime, units: int = 1) -> bool:
    with time_machine.travel(at, tick=False):
        try:
            services.reserve_units(tenant=tenant, reference="next", units=units)
        except RuleViolation:
            return False
    return True


def test_an_account_in_arrears_gets_nothing_as_you_go_until_it_pays(payer: Tenant):
    account = owe(payer, 10)

    assert (account.balance, account.arrears_since) == (Decimal("-1.00"), EIGHT + HOUR)
    assert not reserves(payer, EIGHT + HOUR)
    give_money(payer, "0.99")
    assert not reserves(payer, EIGHT + HOUR)
    give_money(payer, "0.01")
    assert reserves(payer, EIGHT + HOUR)
    assert Account.objects.get(tenant=payer).arrears_since is None


def test_packages_are_used_all_the_same(payer: Tenant):
    owe(payer, 10)
    make_package(payer, units=5, days=9_000)

    assert reserves(payer, EIGHT + 2 * HOUR, units=5)
    assert not reserves(payer, EIGHT + 2 * HOUR, units=1)


def test_arrears_begin_once_and_do_not_begin_anew_with_more_debts(payer: Tenant, settings: Any):
    settings.ARREARS_GRACE_HOURS = 24
    owe(payer, 10)
    use_units(payer, 10, at=EIGHT + 5 * HOUR)
    with time_machine.travel(EIGHT + 6 * HOUR, tick=False):
        settlement.settle_usage()

    assert Account.objects.get(tenant=payer).arrears_since == EIGHT + HOUR


def test_grace_lets_an_account_go_on_for_so_many_hours(payer: Tenant, settings: Any):
    settings.ARREARS_GRACE_HOURS = 24
    owe(payer, 10)

    assert reserves(payer, EIGHT + 24 * HOUR)
    assert not reserves(payer, EIGHT + 25 * HOUR)
    with time_machine.travel(EIGHT + 24 * HOUR, tick=False):
        assert list(unpaid_references()) == []
    with time_machine.travel(EIGHT + 25 * HOUR, tick=False):
        assert list(unpaid_references()) == ["next"]


def test_a_credit_limit_may_be_owed(payer: Tenant, as_operator: Client):
    account = owe(payer, 10)
    page = f"/admin/billing/account/{account.pk}/change/"

    assert as_operator.post(page, {"credit_limit": "0.99"}).status_code == 302
    assert not reserves(payer, EIGHT + HOUR)
    assert as_operator.post(page, {"credit_limit": "1.00"}).status_code == 302
    assert reserves(payer, EIGHT + HOUR)
    assert AuditEntry.objects.filter(tenant=payer, action="billing:credit:update").count() == 2
    for odd in ("-1", "NaN", "1e9", "0.001", ""):
        assert as_operator.post(page, {"credit_limit": odd}).status_code == 200
    assert Account.objects.get(tenant=payer).credit_limit == Decimal("1.00")


@pytest.mark.parametrize("amount", ["-0.01", "NaN", "Infinity", "1e18"])
def test_the_service_refuses_odd_limits_itself(payer: Tenant, operator: Any, amount: str):
    with pytest.raises(RuleViolation):
        services_money.set_credit_limit(tenant=payer, credit_limit=Decimal(amount), user=operator)


def test_the_credit_limit_buys_no_package(payer: Tenant, operator: Any):
    """It is for what was sent already: packages are paid ahead."""
    services_money.set_credit_limit(tenant=payer, credit_limit=Decimal("100.00"), user=operator)
    order = make_order(payer)

    with pytest.raises(RuleViolation):
        services_payments.pay_order(order=order, method="balance", user=operator)


def test_what_holds_mails_as_you_go_is_unpaid_and_what_packages_hold_is_not(payer: Tenant):
    other = make_tenant(pay_as_you_go=True)
    make_package(payer, units=5, days=9_000)
    with time_machine.travel(EIGHT, tick=False):
        services.reserve_units(tenant=payer, reference="package", units=3)
        services.reserve_units(tenant=payer, reference="both", units=4)
        services.reserve_units(tenant=payer, reference="ended", units=4)
        services.settle_units(tenant=payer, reference="ended", consumed=4, released=0)
        services.reserve_units(tenant=other, reference="other", units=4)
    owe(payer, 10)

    with time_machine.travel(EIGHT + 2 * HOUR, tick=False):
        assert list(unpaid_references()) == ["both"]
