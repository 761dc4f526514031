"""Bank transfers: too little, too much, late, twice; what the tenant sees and may still change."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from billing import integrity, orders, queries, services_orders, services_payments
from billing.models import BankAccount, MoneyEntry, Order, Payment
from iam.models import AuditEntry, Tenant, User
from koomessage.common.errors import RuleViolation
from tests.factories_billing import give_money, make_order, make_spec


@pytest.fixture
def order(acme: Tenant, owner: User) -> Order:
    BankAccount.objects.create(holder="KooMessage Ltd", bank="招商银行", number="6222 0001")
    made = make_order(acme, user=owner, quantity=2, spec=make_spec(price=Decimal("12.50"), units=1000))
    return services_payments.pay_order(order=made, method="bank_transfer", user=owner)


@pytest.fixture
def receive(order: Order, operator: User) -> Any:
    def book(amount: str, number: str) -> Payment:
        return services_payments.confirm_transfer(
            order=order, user=operator, amount=Decimal(amount), transaction_number=number
        )

    return book


def status_of(order: Order) -> str:
    return Order.objects.get(pk=order.pk).status


def test_too_little_is_credited_and_the_order_waits_for_the_rest(
    as_owner: Client, order: Order, receive: Any
):
    part = receive("20.00", "A1")
    page = as_owner.get(order.get_absolute_url()).content.decode()

    assert (part.status, part.why, status_of(order)) == ("credited", "short", "transfer")
    assert queries.balance_of(order.tenant)[0] == Decimal("20.00")
    assert "¥20.00" in page and "¥5.00" in page and "A1" in page
    rest = receive("5.00", "A2")
    assert (rest.status, status_of(order)) == ("succeeded", "paid")
    assert queries.balance_of(order.tenant)[0] == 0
    assert list(integrity.problems()) == []


def test_too_much_pays_the_order_and_the_rest_stays_in_the_balance(order: Order, receive: Any):
    receive("30.00", "A1")

    assert status_of(order) == "paid"
    assert queries.balance_of(order.tenant)[0] == Decimal("5.00")
    assert list(integrity.problems()) == []


def test_the_balance_helps_where_it_suffices(order: Order, receive: Any):
    give_money(order.tenant, "5.00")

    receive("20.00", "A1")

    assert status_of(order) == "paid"
    assert queries.balance_of(order.tenant)[0] == 0


def test_late_money_stays_in_the_balance(order: Order, receive: Any):
    Order.objects.filter(pk=order.pk).update(expires_at=timezone.now() - timedelta(seconds=1))

    first = receive("25.00", "A1")
    orders.expire_overdue(timezone.now())
    second = receive("25.00", "A2")

    assert [(row.status, row.why) for row in (first, second)] == [("credited", "late")] * 2
    assert status_of(order) == "expired" and not order.packages.exists()
    assert queries.balance_of(order.tenant)[0] == Decimal("50.00")
    assert list(integrity.problems()) == []


def test_a_transaction_number_is_booked_once_for_all_accounts(
    order: Order, receive: Any, operator: User, stranger: User
):
    other = make_order(stranger.tenant, user=stranger)
    services_payments.pay_order(order=other, method="bank_transfer", user=stranger)
    receive("20.00", "A1")

    with pytest.raises(RuleViolation) as refusal:
        services_payments.confirm_transfer(
            order=other, user=operator, amount=Decimal("12.50"), transaction_number=" A1 "
        )

    assert refusal.value.field == "transaction_number"
    assert status_of(other) == "transfer"


@pytest.mark.parametrize(
    ("amount", "number"),
    [
        ("0", "A"),
        ("-5.00", "A"),
        ("NaN", "A"),
        ("1e18", "A"),
        ("1.001", "A"),
        ("25.00", " "),
        ("25.00", "A" * 65),
    ],
)
def test_the_service_refuses_odd_receipts(order: Order, receive: Any, amount: str, number: str):
    with pytest.raises(RuleViolation):
        receive(amount, number)

    assert not MoneyEntry.objects.exists()


def test_while_nothing_arrived_the_method_can_change_and_the_order_be_dropped(
    as_owner: Client, order: Order, acme: Tenant
):
    give_money(acme, "25.00")

    as_owner.post(f"{order.get_absolute_url()}pay/", {"method": "balance"})

    assert status_of(order) == "paid"
    assert set(Payment.objects.values_list("method", "status")) == {
        ("bank_transfer", "withdrawn"),
        ("balance", "succeeded"),
    }
    dropped = make_order(acme)
    services_payments.pay_order(order=dropped, method="bank_transfer", user=AuditEntry.objects.first().user)
    as_owner.post(f"{dropped.get_absolute_url()}cancel/")
    assert (status_of(dropped), Payment.objects.latest("pk").status) == ("cancelled", "withdrawn")


def test_an_order_that_received_money_is_not_dropped(
    as_owner: Client, order: Order, receive: Any, owner: User
):
    receive("20.00", "A1")

    assert as_owner.post(f"{order.get_absolute_url()}cancel/").status_code == 422
    with pytest.raises(RuleViolation):
        services_orders.cancel_order(order=order, user=owner)
    assert status_of(order) == "transfer"


def test_money_for_an_order_that_was_paid_otherwise_is_credited(order: Order, receive: Any, owner: User):
    give_money(order.tenant, "25.00")
    services_payments.pay_order(order=order, method="balance", user=owner)

    assert receive("25.00", "A1").why == Payment.Why.TWICE

    assert queries.balance_of(order.tenant)[0] == Decimal("25.00")
    assert list(integrity.problems()) == []


def test_choosing_the_transfer_again_gives_no_more_time(order: Order, owner: User):
    ends = order.expires_at
    services_payments.pay_order(order=order, method="bank_transfer", user=owner)

    again = Order.objects.get(pk=order.pk)
    assert again.expires_at == ends
    assert Payment.objects.count() == 1


def test_a_confirmation_is_written_into_the_audit_log(order: Order, receive: Any):
    receive("25.00", "A1")

    entry = AuditEntry.objects.get(action="billing:order:confirm")
    assert (entry.login, entry.target, entry.detail["transaction"]) == ("operator", order.number, "A1")
