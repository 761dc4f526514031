"""演示支付: both sides of the gateway speak to each other, over HTTP."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from billing import gateway, jobs, services_payments
from billing.models import Order, Payment
from koomessage.demo import payments
from tests.factories import make_tenant, make_user
from tests.factories_billing import make_order, make_spec

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "a key that only the gateway and the console know"


@pytest.fixture
def order(demo: None, live_server: Any, settings: Any) -> Order:
    settings.BASE_URL = live_server.url
    settings.PAYMENT_GATEWAY_URL = f"{live_server.url}/demo/pay"
    settings.PAYMENT_GATEWAY_KEY = KEY
    tenant = make_tenant()
    user = make_user(tenant)
    made = make_order(tenant, user=user, spec=make_spec(price=Decimal("25.00")))
    return services_payments.pay_order(order=made, method="online", user=user)


@pytest.fixture
def paying(order: Order) -> str:
    parts = urlsplit(gateway.payment_page(Payment.objects.get()))
    return f"{parts.path}?{parts.query}"


def status_of(order: Order) -> str:
    return Order.objects.get(pk=order.pk).status


def test_paying_at_the_demo_pays_the_order(client: Client, order: Order, paying: str):
    shown = client.get(paying).content.decode()
    answer = client.post(paying, {"decision": "paid"})

    assert "25.00" in shown and order.number in shown
    assert answer["Location"].endswith(f"/packages/orders/{order.pk}/waiting/")
    assert status_of(order) == "paid"
    client.post(paying, {"decision": "failed"})
    assert payments.find(Payment.objects.get().reference).status == "succeeded"
    assert 'name="decision"' not in client.get(paying).content.decode()


def test_a_failed_payment_leaves_the_order_open(client: Client, order: Order, paying: str):
    client.post(paying, {"decision": "failed"})

    assert (status_of(order), Payment.objects.get().status) == ("unpaid", "failed")


def test_a_lost_message_is_made_good_by_asking(client: Client, order: Order, paying: str):
    client.post(paying, {"decision": "lost"})
    assert status_of(order) == "unpaid"
    Payment.objects.update(asked_at=timezone.now() - timedelta(minutes=2))

    jobs.check_payments()

    assert status_of(order) == "paid"


def test_looking_decides_nothing_and_an_altered_address_opens_nothing(
    client: Client, order: Order, paying: str
):
    client.get(paying)

    assert payments.find(Payment.objects.get().reference) is None
    for altered in (
        paying.replace("25.00", "00.01"),
        paying.replace("CNY", "USD"),
        f"{paying}0",
        "/demo/pay/",
    ):
        assert client.get(altered).status_code == 403
        assert client.post(altered, {"decision": "paid"}).status_code == 403
    assert client.post("/demo/pay/query/", "{}", content_type="application/json").status_code == 403
    assert status_of(order) == "unpaid"
