"""A message of the gateway may be lost: it is asked what became of a payment, and believed only where it proves it."""

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from billing import jobs, orders, queries, services_payments
from billing.models import Order, Payment
from iam.models import Tenant, User
from tests.billing.gateway_words import KEY, headers, online, words
from tests.factories_billing import make_order, make_spec

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


class Asked(BaseHTTPRequestHandler):
    """A gateway that answers questions with what `says` holds."""

    says: bytes = b""
    status = 200
    key = KEY
    questions: list[bytes] = []

    def do_POST(self) -> None:
        question = self.rfile.read(int(self.headers["Content-Length"]))
        self.questions.append(question)
        self.send_response(self.status)
        for name, value in headers(self.says, key=self.key).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.says)

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def asked(settings) -> Iterator[type[Asked]]:
    handler = type("AskedNow", (Asked,), {"questions": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    settings.PAYMENT_GATEWAY_URL = f"http://127.0.0.1:{server.server_port}/checkout"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield handler
    server.shutdown()
    thread.join()
    server.server_close()


def long_ago(payment: Payment, **ago: int) -> None:
    Payment.objects.filter(pk=payment.pk).update(asked_at=timezone.now() - timedelta(**ago))


@pytest.mark.parametrize("way", ["job", "command", "button"])
def test_a_payment_whose_notice_was_lost_is_found_by_asking(
    as_owner: Client, order: Order, payment: Payment, asked: type[Asked], way: str
):
    asked.says = words(payment)
    jobs.check_payments()
    assert asked.questions == []  # it has only begun
    long_ago(payment, minutes=2)

    if way == "button":
        assert as_owner.post(f"{pages(order)}check/")["Location"] == f"{pages(order)}waiting/"
    elif way == "job":
        jobs.check_payments()
    else:
        call_command("check_payments")

    order.refresh_from_db()
    assert order.status == Order.Status.PAID
    assert json.loads(asked.questions[0]) == {"reference": payment.reference}
    jobs.check_payments()
    assert len(asked.questions) == 1


def test_late_money_is_found_by_asking_too_but_not_for_ever(
    order: Order, payment: Payment, asked: type[Asked]
):
    expire(order)
    orders.expire_overdue(timezone.now())
    asked.says = words(payment)
    long_ago(payment, minutes=2)
    jobs.check_payments()
    assert asked.questions == []
    long_ago(payment, hours=2)
    jobs.check_payments()

    assert queries.balance_of(order.tenant)[0] == AMOUNT
    Payment.objects.update(received=None, created_at=timezone.now() - timedelta(days=4), transaction="")
    long_ago(payment, hours=2)
    jobs.check_payments()
    assert len(asked.questions) == 1


@pytest.mark.parametrize("fault", ["status", "key", "other", "nonsense", "silent", "amount"])
def test_an_answer_that_proves_nothing_changes_nothing(
    order: Order, payment: Payment, asked: type[Asked], fault: str, settings
):
    asked.says = words(payment)
    if fault == "status":
        asked.status = 500
    elif fault == "key":
        asked.key = "another"
    elif fault == "other":
        asked.says = words(payment, reference="PAY1")
    elif fault == "nonsense":
        asked.says = b"<html>"
    elif fault == "amount":
        asked.says = words(payment, amount="1.00")
    else:
        settings.PAYMENT_GATEWAY_URL = "http://127.0.0.1:9/checkout"
    long_ago(payment, minutes=2)

    jobs.check_payments()

    order.refresh_from_db()
    payment.refresh_from_db()
    assert (order.status, payment.status) == ("unpaid", "waiting")
    assert payment.asked_at > timezone.now() - timedelta(minutes=1)


def test_pressing_ask_now_many_times_asks_once(
    as_owner: Client, order: Order, payment: Payment, asked: type[Asked]
):
    asked.says = words(payment, status="waiting", transaction="")
    long_ago(payment, minutes=2)

    for _ in range(5):
        as_owner.post(f"{pages(order)}check/")

    assert len(asked.questions) == 1
