"""Usage settled by the hour: every mail used as you go is charged once, in its hour, by its month's tier."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection

from billing import integrity, jobs, services, settlement
from billing.models import Account, HourUsage, MoneyEntry, Package, PriceTier
from iam.models import Tenant
from tests.factories import make_tenant
from tests.factories_billing import give_money, make_package, make_tiers, use_units

EIGHT = datetime(2030, 9, 12, 0, 0, tzinfo=UTC)  # 08:00 in Shanghai
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def payer(db: None) -> Iterator[Tenant]:
    make_tiers((0, "0.0080"), (100, "0.0050"))
    yield make_tenant(pay_as_you_go=True, time_zone="Asia/Shanghai")
    assert list(integrity.problems()) == []


def settle(at: datetime, until: datetime | None = None) -> int:
    with time_machine.travel(at, tick=False):
        return settlement.settle_usage(until)


def lines(tenant: Tenant) -> list[tuple[int, int, str]]:
    """Hours after eight, mails and amount of each usage line."""
    rows = MoneyEntry.objects.filter(tenant=tenant, kind="usage").order_by("hour")
    return [(int((row.hour - EIGHT) / HOUR), row.units, str(row.amount)) for row in rows]  # type: ignore[operator,misc]


def test_an_hour_is_settled_when_it_is_over_and_once(payer: Tenant):
    use_units(payer, 60, at=EIGHT)
    use_units(payer, 60, at=EIGHT + 59 * MINUTE, released=5)
    use_units(payer, 10, at=EIGHT + HOUR)

    assert settle(EIGHT + 59 * MINUTE) == 0
    assert settle(EIGHT + HOUR) == 1
    assert settle(EIGHT + HOUR + 30 * MINUTE) == 0
    assert lines(payer) == [(0, 120, "-0.90")]
    assert settle(EIGHT + 5 * HOUR) == 1
    assert settle(EIGHT + 9 * HOUR) == 0
    assert lines(payer) == [(0, 120, "-0.90"), (1, 10, "-0.05")]
    account = Account.objects.get(tenant=payer)
    assert account.balance == Decimal("-0.95")
    entry = MoneyEntry.objects.get(hour=EIGHT)
    assert (entry.month, entry.priced_from) == (
        EIGHT.date().replace(day=1),
        PriceTier.objects.first().valid_from,
    )


def test_what_packages_paid_for_is_counted_and_not_charged(payer: Tenant):
    package = make_package(payer, units=50, days=9_000)
    use_units(payer, 80, at=EIGHT)

    settle(EIGHT + HOUR)

    assert lines(payer) == [(0, 30, "-0.24")]
    assert set(HourUsage.objects.values_list("package", "units")) == {(package.pk, 50), (None, 30)}


def test_a_cheap_mail_costs_nothing_and_carries_nothing(payer: Tenant):
    make_tiers((0, "0.0040"))
    use_units(payer, 1, at=EIGHT)
    use_units(payer, 2, at=EIGHT + HOUR)

    settle(EIGHT + 2 * HOUR)

    assert lines(payer) == [(0, 1, "0.00"), (1, 2, "-0.01")]


def test_tiers_begin_anew_with_the_month_of_the_account(payer: Tenant):
    # 23:00 of September the 30th, and midnight, in Shanghai.
    last = datetime(2030, 9, 30, 15, 0, tzinfo=UTC)
    for hours in range(-1, 3):
        use_units(payer, 100, at=last + hours * HOUR)

    settle(last + 9 * HOUR)

    amounts = list(MoneyEntry.objects.order_by("hour").values_list("amount", flat=True))
    assert amounts == [Decimal(text) for text in ("-0.80", "-0.50", "-0.80", "-0.50")]


def test_an_hour_is_charged_by_the_prices_in_force_when_it_began(payer: Tenant):
    make_tiers((0, "0.1000"), since=EIGHT + HOUR)
    make_tiers((0, "0.2000"), since=EIGHT + HOUR + MINUTE)
    for hours in range(3):
        use_units(payer, 10, at=EIGHT + hours * HOUR)

    settle(EIGHT + 3 * HOUR)

    assert [amount for _, _, amount in lines(payer)] == ["-0.08", "-1.00", "-2.00"]


def test_a_clock_that_is_behind_writes_into_the_next_hour(payer: Tenant):
    use_units(payer, 1, at=EIGHT)
    settle(EIGHT + HOUR)

    use_units(payer, 7, at=EIGHT + 59 * MINUTE)
    settle(EIGHT + 2 * HOUR)

    assert [line[:2] for line in lines(payer)] == [(0, 1), (1, 7)]


def test_without_prices_usage_waits_for_them(payer: Tenant, caplog: pytest.LogCaptureFixture):
    tiers = list(PriceTier.objects.all())
    PriceTier.objects.all().delete()
    use_units(payer, 10, at=EIGHT)

    assert settle(EIGHT + HOUR) == 0
    assert "waits" in caplog.text
    PriceTier.objects.bulk_create(tiers)
    assert settle(EIGHT + HOUR) == 1


def test_one_accounts_trouble_holds_up_no_other(payer: Tenant, caplog: pytest.LogCaptureFixture):
    other = make_tenant(pay_as_you_go=True)
    use_units(payer, 10, at=EIGHT)
    use_units(other, 10, at=EIGHT)
    # Who settled this hour without saying so? Nothing may be charged twice.
    give_money(payer, "1.00")
    HourUsage.objects.create(tenant=payer, hour=EIGHT, package=None, units=10)

    assert settle(EIGHT + HOUR) == 1

    assert lines(payer) == [] and lines(other) == [(0, 10, "-0.08")]
    assert "is not settled" in caplog.text
    caplog.clear()
    assert len(list(integrity.problems())) == 2
    HourUsage.objects.filter(tenant=payer).delete()


def test_a_settlement_killed_in_the_middle_goes_on(payer: Tenant, monkeypatch: pytest.MonkeyPatch):
    others = [make_tenant(pay_as_you_go=True) for _ in range(2)]
    for tenant in (payer, *others):
        use_units(tenant, 10, at=EIGHT)
    change = settlement.change_sum

    def killed(account: Account, *rest: object) -> None:
        if account.tenant_id == others[0].pk:
            raise KeyboardInterrupt
        change(account, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(settlement, "change_sum", killed)
        settle(EIGHT + HOUR)
    assert MoneyEntry.objects.count() == 1
    assert settle(EIGHT + HOUR) == 2

    assert [lines(tenant) for tenant in (payer, *others)] == [[(0, 10, "-0.08")]] * 3


def test_a_month_of_hours_takes_few_queries(payer: Tenant, django_assert_max_num_queries):
    for hours in range(30):
        use_units(payer, 1, at=EIGHT + hours * HOUR)

    with django_assert_max_num_queries(12):
        assert settle(EIGHT + 30 * HOUR) == 30


def test_the_command_settles_until_a_moment_and_never_ahead(payer: Tenant, capsys: pytest.CaptureFixture):
    for hours in range(3):
        use_units(payer, 1, at=EIGHT + hours * HOUR)

    with time_machine.travel(EIGHT + 2 * HOUR + MINUTE, tick=False):
        call_command("settle_usage", "--until", "2030-09-12T09:30")
        assert lines(payer) == [(0, 1, "-0.01")]
        call_command("settle_usage", "--until", "2031-01-01T00:00+08:00")
        call_command("settle_usage")
        jobs.settle_usage()
    assert [hour for hour, _, _ in lines(payer)] == [0, 1]
    assert "Hours settled: 1." in capsys.readouterr().out
    for odd in ("yesterday", "2030-13-01T00:00"):
        with pytest.raises(CommandError):
            call_command("settle_usage", "--until", odd)


@pytest.mark.django_db(transaction=True)
def test_settlements_at_once_charge_once():
    make_tiers((0, "0.0080"), (100, "0.0050"))
    tenants = [make_tenant(pay_as_you_go=True) for _ in range(3)]
    for tenant in tenants:
        for hours in range(4):
            use_units(tenant, 60, at=EIGHT + hours * HOUR)
    with time_machine.travel(EIGHT + 4 * HOUR, tick=True):

        def one(_number: int) -> int:
            try:
                return settlement.settle_usage()
            finally:
                connection.close()

        with ThreadPoolExecutor(6) as pool:
            assert sum(pool.map(one, range(6))) == 12

    for tenant in tenants:
        assert Account.objects.get(tenant=tenant).balance == Decimal("-1.50")
    assert list(integrity.problems()) == []


@pytest.mark.django_db(transaction=True)
def test_nothing_is_lost_or_charged_twice_while_mails_are_used():
    make_tiers((0, "0.0100"))
    tenant = make_tenant(pay_as_you_go=True)
    services.reserve_units(tenant=tenant, reference="C1", units=200)
    with time_machine.travel(EIGHT + 59 * MINUTE + timedelta(seconds=59, milliseconds=900), tick=True):

        def one(number: int) -> None:
            try:
                services.settle_units(tenant=tenant, reference="C1", consumed=number, released=0)
                settlement.settle_usage()
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(one, range(1, 101)))
    settle(EIGHT + 2 * HOUR)

    assert (
        sum(units for _, units, _ in lines(tenant)) == Account.objects.get(tenant=tenant).payg_consumed == 100
    )
    assert Account.objects.get(tenant=tenant).balance == Decimal("-1.00")
    assert list(integrity.problems()) == []


def test_integrity_sees_an_hour_that_is_not_its_ledgers(payer: Tenant):
    package = make_package(payer, units=50, days=9_000)
    use_units(payer, 80, at=EIGHT)
    settle(EIGHT + HOUR)

    HourUsage.objects.filter(package=package).update(units=49)
    assert len(list(integrity.problems())) == 1
    HourUsage.objects.filter(package=package).update(units=50)
    HourUsage.objects.filter(package=None).update(units=29)
    assert len(list(integrity.problems())) == 2
    HourUsage.objects.filter(package=None).update(units=30)
    assert Package.objects.get(pk=package.pk).consumed == 50
