"""What a task would cost before it is submitted: packages first, then as you go."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from billing import costs
from billing.models import Package, PriceTier
from iam.models import Tenant
from tests.factories import make_tenant
from tests.factories_billing import make_package, make_tiers, use_units


@pytest.fixture
def payer(db: None) -> Tenant:
    make_tiers((0, "0.0080"), (100, "0.0050"))
    return make_tenant(pay_as_you_go=True, time_zone="Asia/Shanghai")


def test_the_package_that_ends_first_pays_first_and_the_rest_is_as_you_go(payer: Tenant):
    late = make_package(payer, units=10, days=60)
    soon = make_package(payer, units=4, days=5)

    assert costs.cost_of(payer, 3) == [(soon, 3, 0)]
    assert costs.cost_of(payer, 114) == [(soon, 4, 0), (late, 10, 0), (None, 100, Decimal("0.80"))]
    assert costs.cost_of(payer, 0) == []
    assert Package.objects.get(pk=soon.pk).remaining == 4


def test_what_was_used_and_reserved_in_the_month_counts_before(payer: Tenant):
    now = timezone.now()
    use_units(payer, 90, at=now)

    assert costs.payg_estimate(payer, 20) == Decimal("0.13")
    assert costs.payg_used_this_month(payer) == 90


def test_a_month_begins_by_the_clock_of_the_account(payer: Tenant):
    # 23:30 of September the 30th, and 00:30 of October the 1st, in Shanghai.
    use_units(payer, 100, at=datetime(2030, 9, 30, 15, 30, tzinfo=UTC))
    use_units(payer, 10, at=datetime(2030, 9, 30, 16, 30, tzinfo=UTC))

    with time_machine.travel(datetime(2030, 9, 30, 16, 45, tzinfo=UTC), tick=False):
        assert costs.payg_used_this_month(payer) == 10
        assert costs.payg_estimate(payer, 1_000) == Decimal("5.27")


def test_an_estimate_is_made_with_the_prices_of_now(payer: Tenant):
    now = timezone.now()
    make_tiers((0, "0.0100"), since=now - timedelta(minutes=1))
    make_tiers((0, "9.0000"), since=now + timedelta(days=1))
    PriceTier.objects.create(currency="USD", valid_from=now, from_units=0, price=Decimal(7))

    assert costs.payg_estimate(payer, 10) == Decimal("0.10")


def test_without_prices_there_is_no_estimate(payer: Tenant):
    PriceTier.objects.all().delete()

    assert costs.payg_estimate(payer, 10) is None
    assert costs.payg_estimate(payer, 0) == 0


def test_reading_costs_few_queries(payer: Tenant, django_assert_num_queries):
    make_package(payer, units=4)

    with django_assert_num_queries(6):
        costs.cost_of(payer, 500)
