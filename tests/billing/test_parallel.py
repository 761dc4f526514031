"""Many at once, on real threads and real transactions."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from billing import integrity, services, services_orders, services_payments
from billing.gateway import Notice
from billing.models import Account, BankAccount, MoneyEntry, Order, Package, Payment
from koomessage.common.errors import RuleViolation
from tests.billing.gateway_words import KEY
from tests.factories import make_staff, make_tenant, make_user
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

    at_once(lambda number: services_payments.pay_order(order=order, method="balance", user=user))

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


@pytest.mark.django_db(transaction=True)
def test_one_order_paid_twenty_times_at_once_by_every_method_is_paid_once(settings: Any):
    settings.PAYMENT_GATEWAY_URL, settings.PAYMENT_GATEWAY_KEY = "https://pay.example", KEY
    BankAccount.objects.create(holder="x", bank="y", number="1")
    tenant = make_tenant()
    user, clerk = make_user(tenant), make_staff(login="clerk")
    order = make_order(tenant, user=user, quantity=2, spec=make_spec(price=Decimal("12.50")))
    give_money(tenant, "1000.00")
    services_payments.pay_order(order=order, method="bank_transfer", user=user)
    services_payments.pay_order(order=order, method="online", user=user)
    waiting = Payment.objects.get(status="waiting")

    def one(number: int) -> None:
        way = number % 4
        if way == 0:
            services_payments.pay_order(order=order, method="balance", user=user)
        elif way == 1:
            notice = Notice(waiting.reference, "succeeded", f"T{number % 8}", waiting.amount, "CNY")
            services_payments.take_notice(notice)
        elif way == 2:
            receipt = {"amount": Decimal("25.00"), "transaction_number": f"B{number % 8}"}
            services_payments.confirm_transfer(order=order, user=clerk, **receipt)
        else:
            services_payments.pay_order(order=order, method="bank_transfer", user=user)

    at_once(one)

    order.refresh_from_db()
    arrived = Payment.objects.arrived().count()
    assert order.status == Order.Status.PAID
    assert arrived == 4  # two numbers of the gateway, two of the bank, each booked once
    assert Payment.objects.filter(status="succeeded").count() == 1
    assert MoneyEntry.objects.filter(kind="payment").count() == 1
    assert Package.objects.filter(order=order).count() == 2
    assert Account.objects.get(tenant=tenant).balance == 1000 + arrived * 25 - 25
    assert list(integrity.problems()) == []
