"""Online payment: what a gateway may tell us, in any order, and what it may not."""

import time
from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from billing import gateway, integrity, jobs, queries, services, services_payments
from billing.models import MoneyEntry, Order, Payment
from iam.models import Tenant, User
from koomessage.common.errors import RuleViolation
from tests.billing.gateway_words import KEY, NOTICE, headers, online, tell, words
from tests.conftest import FRAGMENT
from tests.factories_billing import give_money, make_order, make_spec

AMOUNT = Decimal("25.00")


@pytest.fixture(autouse=True)
def _gateway(settings) -> None:
    settings.PAYMENT_GATEWAY_URL = "https://pay.example/checkout"
    settings.PAYMENT_GATEWAY_KEY = KEY


@pytest.fixture
def order(acme: Tenant, owner: User) -> Order:
    return make_order(acme, user=owner, quantity=2, spec=make_spec(price=Decimal("12.50"), units=1000))


@pytest.fixture
def payment(order: Order, owner: User) -> Payment:
    services_payments.pay_order(order=order, method="online", user=owner)
    return online(order)


def pages(order: Order) -> str:
    return f"/packages/orders/{order.pk}/"


def expire(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(expires_at=timezone.now() - timedelta(seconds=1))


def test_the_payment_page_leads_to_the_gateway_with_a_signed_request(as_owner: Client, order: Order):
    answer = as_owner.post(f"{pages(order)}pay/", {"method": "online", "amount": "0.01"})
    fragment = as_owner.post(f"{pages(order)}pay/", {"method": "online"}, **FRAGMENT)

    parts = urlsplit(answer["Location"])
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    payment = online(order)
    assert answer["Location"].startswith("https://pay.example/checkout/?")
    assert (asked["reference"], asked["amount"], asked["currency"]) == (payment.reference, "25.00", "CNY")
    assert asked["back"].endswith(f"{pages(order)}waiting/") and asked["notify"].endswith(NOTICE)
    signed = parts.query.partition("&timestamp=")[0].encode()
    assert gateway.proves(asked["timestamp"], asked["nonce"], asked["signature"], signed)
    assert not gateway.proves(asked["timestamp"], asked["nonce"], asked["signature"], signed + b"0")
    assert fragment["HX-Redirect"].startswith("https://pay.example/checkout/?")
    assert Payment.objects.count() == 1


def test_without_a_gateway_nothing_is_offered(as_owner: Client, order: Order, settings):
    settings.PAYMENT_GATEWAY_URL = ""

    assert 'value="online"' not in as_owner.get(f"{pages(order)}pay/").content.decode()
    assert as_owner.post(f"{pages(order)}pay/", {"method": "online"}).status_code == 422
    with pytest.raises(RuleViolation):
        services_payments.pay_order(order=order, method="online", user=None)


def test_a_notice_pays_the_order(client: Client, as_owner: Client, order: Order, payment: Payment):
    waiting = as_owner.get(f"{pages(order)}waiting/")

    assert tell(client, payment) == 200

    assert "hx-trigger" in waiting.content.decode()
    assert as_owner.get(f"{pages(order)}waiting/")["Location"] == f"{pages(order)}paid/"
    assert as_owner.get(f"{pages(order)}waiting/", **FRAGMENT)["HX-Redirect"] == f"{pages(order)}paid/"
    assert "订单支付成功" in as_owner.get(f"{pages(order)}paid/").content.decode()
    assert services.remaining_units(order.tenant) == 2000
    assert queries.balance_of(order.tenant)[0] == 0
    assert set(MoneyEntry.objects.values_list("kind", "amount")) == {("online", AMOUNT), ("payment", -AMOUNT)}
    assert list(integrity.problems()) == []


def test_a_notice_before_the_customer_is_back_and_one_a_hundred_times_count_once(
    client: Client, order: Order, payment: Payment
):
    body = words(payment)
    signed = headers(body)

    answers = {
        client.post(NOTICE, body, content_type="application/json", headers=signed).status_code
        for _ in range(100)
    }

    assert answers == {200}
    assert MoneyEntry.objects.count() == 2
    assert order.packages.count() == 2
    assert list(integrity.problems()) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "0.01"}, {"amount": "25.01"}, {"amount": "-25.00"}, {"amount": "NaN"}, {"amount": "1e18"},
        {"amount": 25.0}, {"amount": "25"}, {"currency": "USD"}, {"currency": ""}, {"status": "refunded"},
        {"transaction": ""}, {"transaction": "x" * 65}, {"transaction": ["T1"]}, {"transaction": "a b"},
        {"reference": "PAY1"}, {"reference": None}, {"currency": {"a": 1}},
    ],
    ids=str,
)  # fmt: skip
def test_a_signed_notice_that_does_not_fit_is_refused(
    client: Client, order: Order, payment: Payment, changes: dict
):
    assert tell(client, payment, **changes) == 422

    order.refresh_from_db()
    payment.refresh_from_db()
    assert (order.status, payment.status) == ("unpaid", "waiting")
    assert not MoneyEntry.objects.exists()


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'"x"', b"\xff", b"[" * 9000])
def test_a_signed_notice_that_is_none_is_refused(client: Client, db: None, body: bytes):
    answer = client.post(NOTICE, body, content_type="application/json", headers=headers(body))

    assert answer.status_code == 422


def test_what_is_not_signed_now_and_by_the_gateway_is_refused(client: Client, payment: Payment, settings):
    body = words(payment)
    now = time.time()
    good = headers(body)
    tries = [
        {},
        headers(body, key="another key"),
        headers(words(payment, amount="0.01")),
        headers(body, at=now - 301),
        headers(body, at=now + 301),
        headers(body, nonce="short"),
        {**good, "X-Payment-Nonce": "m" * 32},
        {**good, "X-Payment-Timestamp": "soon"},
        {**good, "X-Payment-Timestamp": "²"},
        {**good, "X-Payment-Signature": good["X-Payment-Signature"][:-1]},
        {**good, "X-Payment-Signature": "签名"},
    ]

    found = {
        client.post(NOTICE, body, content_type="application/json", headers=given).status_code
        for given in tries
    }
    settings.PAYMENT_GATEWAY_KEY = ""
    nobody = client.post(NOTICE, body, content_type="application/json", headers=headers(body, key=""))

    assert found == {403} and nobody.status_code == 403
    assert not MoneyEntry.objects.exists()


def test_a_large_notice_is_not_read(client: Client, db: None):
    body = b" " * (gateway.LARGEST + 1)

    assert client.post(NOTICE, body, content_type="application/json").status_code == 413
    assert client.get(NOTICE).status_code == 405


def test_a_late_notice_credits_the_balance_and_the_order_stays_closed(
    client: Client, as_owner: Client, order: Order, payment: Payment
):
    expire(order)
    jobs.expire_orders()
    payment.refresh_from_db()
    assert payment.status == Payment.Status.EXPIRED

    assert (tell(client, payment), tell(client, payment)) == (200, 200)

    order.refresh_from_db()
    assert order.status == Order.Status.EXPIRED and not order.packages.exists()
    assert queries.balance_of(order.tenant)[0] == AMOUNT
    assert "订单已过期" in MoneyEntry.objects.get().reason
    page = as_owner.get(f"{pages(order)}waiting/").content.decode()
    assert "订单已过期" in page and "hx-trigger" not in page
    assert list(integrity.problems()) == []


def test_a_notice_for_a_dropped_or_otherwise_paid_order_credits_the_balance(
    client: Client, as_owner: Client, order: Order, payment: Payment, owner: User
):
    as_owner.post(f"{pages(order)}cancel/")
    other = make_order(order.tenant, user=owner, spec=make_spec(price=Decimal("10.00")))
    services_payments.pay_order(order=other, method="online", user=owner)
    second = online(other)
    give_money(order.tenant, "10.00")
    services_payments.pay_order(order=other, method="balance", user=owner)

    assert (tell(client, payment), tell(client, second)) == (200, 200)

    payment.refresh_from_db()
    second.refresh_from_db()
    assert (payment.status, payment.why) == ("credited", "cancelled")
    assert (second.status, second.why) == ("credited", "twice")
    assert queries.balance_of(order.tenant)[0] == AMOUNT + Decimal("10.00")
    assert other.packages.count() == 1
    assert list(integrity.problems()) == []


def test_a_failed_payment_can_be_tried_again_and_may_succeed_after_all(
    client: Client, as_owner: Client, order: Order, payment: Payment
):
    assert tell(client, payment, status="failed", transaction="") == 200
    payment.refresh_from_db()
    assert payment.status == Payment.Status.FAILED
    assert f"{pages(order)}pay/" in as_owner.get(f"{pages(order)}waiting/").content.decode()
    as_owner.post(f"{pages(order)}pay/", {"method": "online"})
    second = online(order)

    assert second.pk != payment.pk
    assert tell(client, payment) == 200
    order.refresh_from_db()
    second.refresh_from_db()
    assert (order.status, second.status) == ("paid", "withdrawn")
    assert tell(client, payment, status="failed", transaction="") == 200
    assert tell(client, second, transaction="other") == 200
    second.refresh_from_db()
    assert (second.status, second.why) == ("credited", "twice")
    assert list(integrity.problems()) == []


def test_a_transaction_number_of_another_payment_is_refused(
    client: Client, order: Order, payment: Payment, owner: User
):
    other = make_order(order.tenant, user=owner, spec=make_spec(price=AMOUNT))
    services_payments.pay_order(order=other, method="online", user=owner)
    tell(client, payment)

    assert tell(client, online(other), transaction=f"T{payment.pk}") == 422

    other.refresh_from_db()
    assert other.status == Order.Status.UNPAID
    assert MoneyEntry.objects.count() == 2


def test_the_same_payment_paid_twice_at_the_gateway_is_credited(
    client: Client, order: Order, payment: Payment
):
    assert (tell(client, payment), tell(client, payment, transaction="second")) == (200, 200)

    assert queries.balance_of(order.tenant)[0] == AMOUNT
    assert list(integrity.problems()) == []
