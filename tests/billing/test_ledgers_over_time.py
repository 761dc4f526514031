"""Whatever happens in whatever order, every sum is its ledger's, and every mail is paid for once (F-45, F-46)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import time_machine
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from billing import integrity, services, services_money, services_orders, services_payments, settlement
from billing.costs import cost_of
from billing.models import Account, HourUsage, MoneyEntry, Package, Reservation
from billing.prices import usage_amount
from koomessage.common.errors import RuleViolation
from tests.factories import make_tenant, make_user
from tests.factories_billing import make_spec, make_tiers

START = datetime(2030, 9, 28, 0, 0, tzinfo=UTC)
TIERS = [(0, Decimal("0.0080")), (40, Decimal("0.0050"))]


class Ledgers(RuleBasedStateMachine):
    """An account that buys, sends, fails, cancels, tops up and is settled while its packages end."""

    @initialize()
    def open_account(self) -> None:
        self.point = transaction.savepoint()
        make_tiers(*((start, str(price)) for start, price in TIERS))
        self.tenant = make_tenant(pay_as_you_go=True, time_zone="Asia/Shanghai")
        self.user = make_user(self.tenant)
        self.spec = make_spec(units=50, price=Decimal("1.25"), valid_days=2)
        self.now = START
        # Reference -> reserved, consumed, released, as a task would count them.
        self.tasks: dict[str, list[int]] = {}
        self.spent = 0

    def at(self) -> time_machine.travel:
        return time_machine.travel(self.now, tick=False)

    @rule(minutes=st.sampled_from([1, 20, 59, 60, 61, 600, 2_000]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(minutes=st.integers(1, 90), units=st.integers(1, 30))
    def a_clock_is_behind(self, minutes: int, units: int) -> None:
        self.now -= timedelta(minutes=minutes)
        self.send(units)
        self.now += timedelta(minutes=minutes)

    @rule(cents=st.integers(1, 500))
    def top_up(self, cents: int) -> None:
        with self.at():
            services_money.change_balance(
                tenant=self.tenant, amount=Decimal(cents) / 100, reason="top-up", user=self.user
            )

    @rule(quantity=st.integers(1, 2))
    def buy(self, quantity: int) -> None:
        with self.at():
            order = services_orders.place_order(
                tenant=self.tenant, user=self.user, spec=self.spec, quantity=quantity, token=uuid4()
            )
            before = Account.objects.get(tenant=self.tenant).balance
            try:
                services_payments.pay_order(order=order, method="balance", user=self.user)
            except RuleViolation:
                assert before < order.amount

    @rule(units=st.integers(1, 120))
    def send(self, units: int) -> None:
        reference = f"C{len(self.tasks)}"
        with self.at():
            parts = cost_of(self.tenant, units)
            suspended = Account.objects.filter(tenant=self.tenant).suspended(self.now).exists()
            try:
                services.reserve_units(tenant=self.tenant, reference=reference, units=units)
            except RuleViolation:
                assert suspended and parts[-1][0] is None
                return
        assert not (suspended and parts[-1][0] is None)
        held = {row.package: row.reserved for row in Reservation.objects.filter(reference=reference)}
        assert held == {package: part for package, part, _ in parts}
        ends = [package.expires_at for package, _, _ in parts if package]
        assert ends == sorted(ends) and all(end > self.now for end in ends)
        self.tasks[reference] = [units, 0, 0]

    @precondition(lambda self: self.tasks)
    @rule(data=st.data())
    def outcomes_come_in(self, data: st.DataObject) -> None:
        reference = data.draw(st.sampled_from(sorted(self.tasks)))
        task = self.tasks[reference]
        left = task[0] - task[1] - task[2]
        task[1] += data.draw(st.integers(0, left))
        task[2] += data.draw(st.integers(0, task[0] - task[1] - task[2]))
        with self.at():
            for _twice in range(2):
                services.settle_units(
                    tenant=self.tenant, reference=reference, consumed=task[1], released=task[2]
                )

    @rule(hours=st.integers(-3, 30))
    def settle(self, hours: int) -> None:
        with self.at():
            settlement.settle_usage(self.now + timedelta(hours=hours))

    @invariant()
    def every_sum_is_its_ledgers(self) -> None:
        assert list(integrity.problems()) == []

    @invariant()
    def every_mail_is_paid_for_once(self) -> None:
        consumed = sum(task[1] for task in self.tasks.values())
        account = Account.objects.filter(tenant=self.tenant).first() or Account()
        packages = list(Package.objects.filter(tenant=self.tenant))
        assert consumed == account.payg_consumed + sum(row.consumed for row in packages)
        assert all(row.remaining >= 0 for row in packages)
        usage = list(MoneyEntry.objects.filter(kind="usage").order_by("hour"))
        assert sum(row.units or 0 for row in usage) <= account.payg_consumed
        before: dict[object, int] = {}
        for row in usage:
            assert row.amount == -usage_amount(TIERS, row.units or 0, used_before=before.get(row.month, 0))
            before[row.month] = before.get(row.month, 0) + (row.units or 0)

    def teardown(self) -> None:
        """After everything is settled nothing is left over; then all of it is undone."""
        if not hasattr(self, "point"):
            return
        self.now += timedelta(days=1)
        self.settle(0)
        account = Account.objects.filter(tenant=self.tenant).first()
        if account:
            settled = sum(HourUsage.objects.filter(package=None).values_list("units", flat=True))
            assert settled == account.payg_consumed
        self.every_sum_is_its_ledgers()
        transaction.savepoint_rollback(self.point)


class TestLedgers(Ledgers.TestCase, TestCase):  # type: ignore[misc,valid-type,name-defined]
    settings = settings(max_examples=12, stateful_step_count=18, deadline=None)
