"""Operation protection: the proof holds for one order, for five minutes, and guessing is stopped."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.conf import settings as project
from django.test import Client
from django.utils import timezone

from billing.models import Order
from iam.models import Tenant, User
from tests.conftest import FRAGMENT
from tests.factories_billing import give_money, make_order, make_spec

PASSWORD = "correct horse battery"


@pytest.fixture
def order(acme: Tenant, owner: User) -> Order:
    Tenant.objects.filter(pk=acme.pk).update(operation_protection=True)
    return make_order(acme, user=owner, spec=make_spec(price=Decimal("25.00")))


@pytest.fixture
def payer(as_owner: Client, order: Order, owner: User) -> Client:
    owner.set_password(PASSWORD)
    owner.save()
    as_owner.force_login(owner, backend="iam.backends.StaffBackend")
    return as_owner


def pay(client: Client, order: Order, **more: str):
    return client.post(f"/packages/orders/{order.pk}/pay/", {"method": "balance", **more})


def is_paid(order: Order) -> bool:
    return Order.objects.get(pk=order.pk).status == Order.Status.PAID


def test_the_proof_holds_for_this_order_alone(payer: Client, order: Order, owner: User):
    assert pay(payer, order, password=PASSWORD).status_code == 422  # the balance is empty
    other = make_order(order.tenant, user=owner)
    give_money(order.tenant, "100.00")

    assert 'id="identity-form"' in pay(payer, other).content.decode()
    assert pay(payer, order)["Location"].endswith("/paid/")
    assert is_paid(order) and not is_paid(other)


@pytest.mark.parametrize(("minutes", "paid"), [(4, True), (6, False)])
def test_the_proof_holds_for_five_minutes(payer: Client, order: Order, minutes: int, paid: bool):
    pay(payer, order, password=PASSWORD)
    give_money(order.tenant, "100.00")

    with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
        pay(payer, order)

    assert is_paid(order) is paid


def test_the_proof_does_not_go_to_another_session(payer: Client, order: Order, owner: User):
    pay(payer, order, password=PASSWORD)
    give_money(order.tenant, "100.00")
    elsewhere = Client()
    elsewhere.force_login(owner, backend="iam.backends.StaffBackend")

    pay(elsewhere, order)

    assert not is_paid(order)


def test_guessing_is_stopped_with_a_sentence_in_the_dialog(payer: Client, order: Order):
    give_money(order.tenant, "100.00")
    for _ in range(project.AXES_FAILURE_LIMIT):
        last = payer.post(
            f"/packages/orders/{order.pk}/pay/", {"method": "balance", "password": "wrong"}, **FRAGMENT
        )
    right = pay(payer, order, password=PASSWORD)

    assert last.content.decode().lstrip().startswith('<form id="identity-form"')
    assert (last.status_code, right.status_code) == (422, 422)
    assert "15" in right.content.decode() and "field-error" in right.content.decode()
    assert not is_paid(order)


def test_another_users_password_proves_nothing(payer: Client, order: Order, stranger: User):
    stranger.set_password("the password of a stranger")
    stranger.save()
    give_money(order.tenant, "100.00")

    assert pay(payer, order, password="the password of a stranger").status_code == 422
    assert not is_paid(order)


def test_without_protection_nothing_is_asked(payer: Client, order: Order, acme: Tenant):
    Tenant.objects.filter(pk=acme.pk).update(operation_protection=False)
    give_money(order.tenant, "100.00")

    pay(payer, order)

    assert is_paid(order)
