"""Many at once, on real threads and real transactions."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection

from billing import integrity, services, services_orders
from billing.models import Account, MoneyEntry, Order, Package
from koomessage.common.errors import RuleViolation
from tests.factories import make_tenant, make_user
from tests.factories_billing import give_money, make_order, make_package, make_spec

MANY = 20


def at_once(work: Callable[[int], object]) -> int:
    """Run the work in so many threads; return how many were not refused."""

    def one(number: int) -> bool:
        try:
            work(number)
        except RuleViolation:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(MANY) as pool:
        return sum(pool.map(one, range(MANY)))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("size", [7, 30])
def test_parallel_tasks_reserve_exactly_the_package(size: int):
    tenant = make_tenant(pay_as_you_go=False)
    package = make_package(tenant, units=size)

    done = at_once(lambda number: services.reserve_units(tenant=tenant, reference=f"C{number % 4}", units=7))

    package.refresh_from_db()
    assert done == size // 7
    assert package.reserved == done * 7
    assert list(integrity.problems()) == []


@pytest.mark.django_db(transaction=True)
def test_parallel_tasks_overflow_to_pay_as_you_go():
    tenant = make_tenant(pay_as_you_go=True)
    package = make_package(tenant, units=10)

    assert at_once(lambda number: services.reserve_units(tenant=tenant, reference="C1", units=3)) == MANY

    package.refresh_from_db()
    assert package.reserved == 10
    assert Account.objects.get(tenant=tenant).payg_reserved == MANY * 3 - 10
    assert list(integrity.problems()) == []


@pytest.mark.django_db(transaction=True)
def test_parallel_settlements_count_once():
    tenant = make_tenant(pay_as_you_go=False)
    package = make_package(tenant, units=50)
    services.reserve_units(tenant=tenant, reference="C1", units=MANY)

    at_once(lambda number: services.settle_units(tenant=tenant, reference="C1", consumed=number, released=1))

    package.refresh_from_db()
    assert (package.consumed, package.reserved) == (MANY - 1, 0)
    assert list(integrity.problems()) == []


@pytest.mark.django_db(transaction=True)
def test_an_order_paid_twenty_times_at_once_is_paid_once():
    tenant = make_tenant()
    user = make_user(tenant)
    give_money(tenant, "1000.00")
    order = make_order(tenant, user=user, quantity=2, spec=make_spec(price=Decimal("12.50")))

    at_once(lambda number: services_orders.pay_order(order=order, method="balance", user=user))

    assert Account.objects.get(tenant=tenant).balance == Decimal("975.00")
    assert MoneyEntry.objects.filter(kind="payment").count() == 1
    assert Package.objects.filter(order=order).count() == 2
    assert list(integrity.problems()) == []


@pytest.mark.django_db(transaction=True)
def test_a_form_sent_twenty_times_at_once_is_one_order():
    tenant = make_tenant()
    user = make_user(tenant)
    spec, token = make_spec(), uuid4()

    at_once(
        lambda number: services_orders.place_order(
            tenant=tenant, user=user, spec=spec, quantity=1, token=token
        )
    )

    assert Order.objects.count() == 1
