"""A process that pays an order and is killed on the way: `pay_and_die.py ORDER WAY MOMENT`, for test_killed.py."""

import os
import signal
import sys
from typing import Any

import django

django.setup()

from billing import gateway, payments  # noqa: E402
from billing.models import Order, Payment  # noqa: E402
from billing.services_payments import pay_order, take_notice  # noqa: E402


def die(*_arguments: Any, **_options: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(pk: str, way: str, moment: str) -> None:
    order = Order.objects.get(pk=pk)
    if moment == "before the money":
        payments.write_money = die
    elif moment == "before the packages":
        payments.add_bought_packages = die
    elif moment == "before the commit":
        add = payments.add_bought_packages

        def add_and_die(**options: Any) -> None:
            add(**options)
            die()

        payments.add_bought_packages = add_and_die
    if way == "balance":
        user = order.tenant.users.first()
        pay_order(order=order, method="balance", user=user)
    else:
        row = Payment.objects.get(order=order, method="online")
        take_notice(gateway.Notice(row.reference, "succeeded", "T1", row.amount, row.currency))
    die()


if __name__ == "__main__":
    main(*sys.argv[1:])
