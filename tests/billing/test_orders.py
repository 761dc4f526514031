"""云服务订单: the list, paying, what is refused, and that a paid order is final."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from billing import integrity, jobs, queries, services, services_payments
from billing.models import BankAccount, MoneyEntry, Order, Package, UnitEntry
from iam.models import AuditEntry, Tenant, User
from koomessage.common.errors import RuleViolation
from tests.conftest import FRAGMENT
from tests.factories_billing import give_money, make_order, make_spec

LIST = "/packages/orders/"


@pytest.fixture
def order(acme: Tenant, owner: User) -> Order:
    return make_order(acme, user=owner, quantity=2, spec=make_spec(price=Decimal("12.50"), units=1000))


@pytest.fixture
def bank(db: None) -> BankAccount:
    return BankAccount.objects.create(holder="KooMessage Ltd", bank="招商银行", number="6222 0001")


def pay(client: Client, order: Order, method: str = "balance", **more: str):
    return client.post(f"{LIST}{order.pk}/pay/", {"method": method, **more})


def test_the_payment_page_shows_the_order_and_its_conditions(as_owner: Client, order: Order):
    page = as_owner.get(f"{LIST}{order.pk}/pay/").content.decode()

    for words in (
        "购买KooMessage套餐包",
        "云服务订单",
        "不支持退订",
        "无法调整套餐规格",
        "确认付款",
        "¥25.00",
        order.number,
    ):
        assert words in page


def test_paying_from_the_balance_hands_over_the_packages(as_owner: Client, order: Order, acme: Tenant):
    give_money(acme, "30.00")

    answer = as_owner.post(f"{LIST}{order.pk}/pay/", {"method": "balance", "amount": "0.01"})

    assert answer["Location"] == f"{LIST}{order.pk}/paid/"
    assert "订单支付成功" in as_owner.get(answer["Location"]).content.decode()
    assert queries.balance_of(acme) == (Decimal("5.00"), "CNY")
    assert services.remaining_units(acme) == 2000
    assert list(UnitEntry.objects.values_list("kind", "units")) == [("purchase", 1000)] * 2
    ends = Package.objects.first().expires_at
    assert ends - timezone.now() > timedelta(days=364, hours=23)
    assert AuditEntry.objects.filter(action="kooMessage:order:pay", target=order.number).exists()
    assert list(integrity.problems()) == []


def test_paying_twice_costs_once(as_owner: Client, order: Order, acme: Tenant):
    give_money(acme, "100.00")

    pay(as_owner, order)
    answer = pay(as_owner, order)

    assert answer["Location"] == f"{LIST}{order.pk}/paid/"
    assert queries.balance_of(acme)[0] == Decimal("75.00")


def test_a_balance_too_small_is_refused(as_owner: Client, order: Order, acme: Tenant):
    give_money(acme, "24.99")

    answer = pay(as_owner, order)

    assert answer.status_code == 422
    assert "field-error" in answer.content.decode()
    assert queries.balance_of(acme)[0] == Decimal("24.99")
    assert not Package.objects.exists()


def test_a_refusal_comes_as_a_fragment_too(as_owner: Client, order: Order):
    answer = as_owner.post(f"{LIST}{order.pk}/pay/", {"method": "balance"}, **FRAGMENT)

    assert answer.status_code == 422
    assert answer.content.decode().lstrip().startswith('<form id="payment-form"')


@pytest.mark.parametrize("method", ["", "cash", "refund"])
def test_an_unknown_method_is_refused(as_owner: Client, order: Order, method: str):
    assert pay(as_owner, order, method).status_code == 422


def test_a_bank_transfer_shows_its_reference_and_waits(as_owner: Client, order: Order, bank: BankAccount):
    answer = pay(as_owner, order, "bank_transfer")

    page = as_owner.get(answer["Location"]).content.decode()
    order.refresh_from_db()
    assert order.status == Order.Status.TRANSFER
    assert order.expires_at - timezone.now() > timedelta(days=6)
    assert bank.number in page and order.number in page
    assert not Package.objects.exists()


def test_a_transfer_needs_an_account_to_go_to(as_owner: Client, order: Order):
    assert pay(as_owner, order, "bank_transfer").status_code == 422


def test_a_confirmed_transfer_pays_the_order_once(
    order: Order, owner: User, operator: User, bank: BankAccount
):
    services_payments.pay_order(order=order, method="bank_transfer", user=owner)

    receipt = {"order": order, "user": operator, "amount": Decimal("25.00"), "transaction_number": "T 7"}
    services_payments.confirm_transfer(**receipt)
    with pytest.raises(RuleViolation):
        services_payments.confirm_transfer(**receipt)

    assert queries.balance_of(order.tenant)[0] == 0
    assert services.remaining_units(order.tenant) == 2000
    assert set(MoneyEntry.objects.values_list("kind", "amount")) == {
        ("transfer", Decimal("25.00")),
        ("payment", Decimal("-25.00")),
    }
    assert list(integrity.problems()) == []


def test_an_unannounced_transfer_is_not_confirmed(order: Order, operator: User):
    with pytest.raises(RuleViolation):
        services_payments.confirm_transfer(
            order=order, user=operator, amount=Decimal("25.00"), transaction_number="x"
        )


def test_operation_protection_asks_for_the_password_of_this_order(
    as_owner: Client, order: Order, acme: Tenant, owner: User
):
    give_money(acme, "100.00")
    Tenant.objects.filter(pk=acme.pk).update(operation_protection=True)
    owner.set_password("correct horse battery")
    owner.save()
    as_owner.force_login(owner, backend="iam.backends.StaffBackend")

    asked = as_owner.post(f"{LIST}{order.pk}/pay/", {"method": "balance"}, **FRAGMENT)
    wrong = pay(as_owner, order, password="wrong")
    empty = pay(as_owner, order, password="")
    assert Order.objects.get(pk=order.pk).status == Order.Status.UNPAID
    right = pay(as_owner, order, password="correct horse battery")
    other = make_order(acme, user=owner)
    again = pay(as_owner, other)

    assert 'id="identity-form"' in asked.content.decode() and asked.status_code == 200
    assert (wrong.status_code, empty.status_code) == (422, 422)
    assert "操作保护" in wrong.content.decode()
    assert right["Location"] == f"{LIST}{order.pk}/paid/"
    assert 'id="identity-form"' in again.content.decode()
    assert Order.objects.get(pk=other.pk).status == Order.Status.UNPAID


def test_an_order_not_paid_in_time_is_over_at_once_and_closed_by_the_clock(as_owner: Client, order: Order):
    Order.objects.filter(pk=order.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    give_money(order.tenant, "100.00")

    assert pay(as_owner, order)["Location"] == f"{LIST}{order.pk}/"
    with pytest.raises(RuleViolation):
        services_payments.pay_order(order=order, method="balance", user=None)
    assert "已过期" in as_owner.get(LIST).content.decode()
    jobs.expire_orders()

    order.refresh_from_db()
    assert order.status == Order.Status.EXPIRED
    assert not Package.objects.exists()


def test_an_unpaid_order_can_be_dropped_after_a_question(as_owner: Client, order: Order):
    address = f"{LIST}{order.pk}/cancel/"

    assert "确定" in as_owner.get(address, **FRAGMENT).content.decode()
    assert as_owner.post(address)["Location"] == LIST

    order.refresh_from_db()
    assert order.status == Order.Status.CANCELLED
    assert as_owner.post(address).status_code == 422


def test_a_paid_order_is_final(as_owner: Client, order: Order, acme: Tenant):
    give_money(acme, "100.00")
    pay(as_owner, order)

    assert as_owner.post(f"{LIST}{order.pk}/cancel/").status_code == 422
    assert "refund" not in [*MoneyEntry.Kind.values, *UnitEntry.Kind.values]
    assert as_owner.get(f"{LIST}{order.pk}/refund/").status_code == 404
    assert queries.balance_of(acme)[0] == Decimal("75.00")


def test_the_list_filters_by_number_status_and_comes_as_a_fragment(as_owner: Client, order: Order):
    other = make_order(order.tenant, status="cancelled")

    found = as_owner.get(LIST, {"number": order.number}, **FRAGMENT).content.decode()
    cancelled = as_owner.get(LIST, {"status": "cancelled"}, **FRAGMENT).content.decode()

    assert found.lstrip().startswith('<div id="order-list"')
    assert order.number in found and other.number not in found
    assert other.number in cancelled and order.number not in cancelled


def test_a_reader_looks_and_pays_nothing(as_reader: Client, as_newcomer: Client, order: Order):
    assert as_reader.get(LIST).status_code == 200
    assert as_reader.get(f"{LIST}{order.pk}/").status_code == 200
    for client in (as_reader, as_newcomer):
        assert pay(client, order).status_code == 403
        assert client.post(f"{LIST}{order.pk}/cancel/").status_code == 403
    assert as_newcomer.get(LIST).status_code == 403


def test_a_strangers_order_is_not_there(as_stranger: Client, order: Order):
    for part in ("", "pay/", "paid/", "cancel/"):
        assert as_stranger.get(f"{LIST}{order.pk}/{part}").status_code == 404
    assert pay(as_stranger, order).status_code == 404
    assert order.number not in as_stranger.get(LIST).content.decode()


def test_the_success_page_is_for_paid_orders_only(as_owner: Client, order: Order):
    assert as_owner.get(f"{LIST}{order.pk}/paid/")["Location"] == f"{LIST}{order.pk}/"


def test_the_list_costs_a_fixed_number_of_queries(
    as_owner: Client, acme: Tenant, owner: User, django_assert_max_num_queries: DjangoAssertNumQueries
):
    for _ in range(5):
        make_order(acme, user=owner)

    with django_assert_max_num_queries(5):
        as_owner.get(LIST)
