"""kill -9 between the payment and its packages leaves both or nothing, and a waiting payment is finished afterwards."""

import os
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from billing import integrity, queries, services_payments
from billing.models import MoneyEntry, Order
from tests.billing.gateway_words import KEY, online, tell
from tests.factories import make_tenant, make_user
from tests.factories_billing import give_money, make_order, make_spec

SCRIPT = Path(__file__).with_name("pay_and_die.py")
ROOT = SCRIPT.parents[2]


def database_address() -> str:
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    return f"postgresql://{found['USER']}@{found['HOST']}:{found['PORT']}/{found['NAME']}"


def pay_and_die(order: Order, way: str, moment: str) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(order.pk), way, moment],
        env={
            **os.environ,
            "DATABASE_URL": database_address(),
            "DJANGO_SETTINGS_MODULE": "koomessage.settings",
            "PYTHONPATH": str(ROOT),
            "PAYMENT_GATEWAY_URL": "https://pay.example",
            "PAYMENT_GATEWAY_KEY": KEY,
        },
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["balance", "online"])
@pytest.mark.parametrize(
    "moment", ["before the money", "before the packages", "before the commit", "after the commit"]
)
def test_a_killed_payment_leaves_both_or_nothing_and_is_finished_by_the_next(
    way: str, moment: str, settings, client: Client
):
    settings.PAYMENT_GATEWAY_URL, settings.PAYMENT_GATEWAY_KEY = "https://pay.example", KEY
    tenant = make_tenant()
    user = make_user(tenant)
    order = make_order(tenant, user=user, quantity=2, spec=make_spec(price=Decimal("12.50")))
    give_money(tenant, "25.00")
    if way == "online":
        services_payments.pay_order(order=order, method="online", user=user)

    pay_and_die(order, way, moment)

    order.refresh_from_db()
    is_done = moment == "after the commit"
    assert (order.status, order.packages.count()) == (("paid", 2) if is_done else ("unpaid", 0))
    assert MoneyEntry.objects.filter(kind="payment").count() == is_done
    assert list(integrity.problems()) == []
    if way == "online":
        assert tell(client, online(order), transaction="T1") == 200
    else:
        services_payments.pay_order(order=order, method="balance", user=user)
    order.refresh_from_db()
    assert (order.status, order.packages.count()) == ("paid", 2)
    assert queries.balance_of(tenant)[0] == (0 if way == "balance" else Decimal("25.00"))
    assert list(integrity.problems()) == []
