"""余额, 用量, 账单: every movement, every mail and every month, as the ledgers have them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import openpyxl
import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from billing import services, services_payments, settlement
from billing.bills import bills_of
from billing.models import Account
from billing.usage import MOST_DAYS, Span, usage_of
from iam.models import Tenant, User
from tests.conftest import FRAGMENT
from tests.factories_billing import give_money, make_order, make_package, make_tiers, use_units

EIGHT = datetime(2030, 9, 12, 0, 0, tzinfo=UTC)  # 08:00 in Shanghai
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PAGES = ["balance", "usage", "bill_list"]
EXPORTS = ["balance_export", "usage_export", "bill_export"]


@pytest.fixture
def history(acme: Tenant) -> Iterator[Tenant]:
    """August: 100 mails as you go. September: 30 of a package, 70 as you go, 10 more in this very hour."""
    make_tiers((0, "0.0080"), (100, "0.0050"))
    Tenant.objects.filter(pk=acme.pk).update(pay_as_you_go=True, time_zone="Asia/Shanghai")
    acme.refresh_from_db()
    use_units(acme, 100, at=EIGHT - 20 * DAY)
    with time_machine.travel(EIGHT - 2 * DAY, tick=False):
        make_package(acme, units=30, days=9, name="试用包")
        give_money(acme, "100.00")
    use_units(acme, 50, at=EIGHT - DAY)
    use_units(acme, 50, at=EIGHT)
    with time_machine.travel(EIGHT + HOUR, tick=False):
        settlement.settle_usage()
    use_units(acme, 10, at=EIGHT + HOUR)
    with time_machine.travel(EIGHT + HOUR + timedelta(minutes=30), tick=False):
        yield acme


def sheet(answer: Any) -> list[list[Any]]:
    page = openpyxl.load_workbook(BytesIO(b"".join(answer.streaming_content))).active
    return [[cell.value for cell in row] for row in page.iter_rows()]


def test_the_balance_lists_every_movement(history: Tenant, as_owner: Client):
    page = as_owner.get(reverse("billing:balance"))

    kinds = [row.kind for row in page.context["page"].rows]
    assert sorted(kinds) == ["credit", "usage", "usage", "usage"]
    assert page.context["account"].balance == Decimal("98.64")
    assert "¥98.64" in page.content.decode()


def test_movements_are_filtered_and_taken_out(history: Tenant, as_owner: Client):
    only = as_owner.get(reverse("billing:balance"), {"kind": "credit"})
    none = as_owner.get(reverse("billing:balance"), {"text": "T00:00Z"})
    late = as_owner.get(reverse("billing:balance"), {"created_from": "2030-09-12T09:00:00"}, **FRAGMENT)
    rows = sheet(as_owner.get(reverse("billing:balance_export"), {"kind": "usage"}))

    assert [row.kind for row in only.context["page"].rows] == ["credit"]
    assert none.context["page"].rows == []
    assert len(late.context["page"].rows) == 3
    assert late.content.decode().lstrip().startswith('<div id="movement-list"')
    assert [(row[2], row[5], row[6]) for row in rows[1:]] == [
        ("-0.40", "2030-09-12 08:00:00", 50),
        ("-0.16", "2030-09-11 08:00:00", 20),
        ("-0.80", "2030-08-23 08:00:00", 100),
    ]


def test_the_balance_says_what_arrears_mean_and_when_they_begin_to_tell(
    history: Tenant, as_owner: Client, settings: Any
):
    with time_machine.travel(EIGHT + HOUR, tick=False):
        make_tiers((0, "1.0000"), since=EIGHT + HOUR)
    use_units(history, 500, at=EIGHT + HOUR)
    with time_machine.travel(EIGHT + 2 * HOUR, tick=False):
        settlement.settle_usage()
        suspended = as_owner.get(reverse("billing:balance"))
        settings.ARREARS_GRACE_HOURS = 5
        warned = as_owner.get(reverse("billing:balance"))

    assert Account.objects.get(tenant=history).is_in_arrears
    assert suspended.context["is_suspended"] and 'class="alert alert-danger' in suspended.content.decode()
    assert not warned.context["is_suspended"] and "2030-09-12 15:00:00" in warned.content.decode()


def test_usage_is_shown_by_day_and_by_what_paid(history: Tenant, as_owner: Client):
    page = as_owner.get(reverse("billing:usage"))
    usage = page.context["usage"]

    used = [(row.label, row.packages, row.as_you_go, str(row.amount)) for row in usage.rows if row.units]
    assert used == [("2030-09-12", 0, 60, "0.40"), ("2030-09-11", 30, 20, "0.16")]
    assert len(usage.rows) == 12
    assert [(str(source.package or ""), source.units) for source in usage.sources] == [
        ("试用包", 30),
        ("", 80),
    ]
    assert (usage.waiting, usage.estimate) == (10, Decimal("0.08"))
    assert (usage.total.units, usage.total.amount) == (110, Decimal("0.56"))


def test_a_long_range_is_shown_by_the_month_and_taken_out_by_the_day(history: Tenant, as_owner: Client):
    query = {"first": "2030-08-01", "last": "2030-10-31"}
    page = as_owner.get(reverse("billing:usage"), query, **FRAGMENT)
    rows = sheet(as_owner.get(reverse("billing:usage_export"), query))

    assert [row.label for row in page.context["usage"].rows] == ["2030-09", "2030-08"]
    assert [row[:4] for row in rows if row[1] or row[2]][1:] == [
        ["2030-08-23", 0, 100, "0.80"],
        ["2030-09-11", 30, 20, "0.16"],
        ["2030-09-12", 0, 60, "0.40"],
        [rows[-1][0], 30, 180, "1.36"],
    ]


@pytest.mark.parametrize(
    "query",
    [
        {"first": "2030-09-02", "last": "2030-09-01"},
        {"first": "x", "last": "2030-09-01"},
        {"first": "2028-09-01", "last": "2030-09-01"},
        {"first": "0001-01-01", "last": "0001-01-02"},
        {"first": "9999-12-01", "last": "9999-12-31"},
        {"first": "2030-09-01"},
    ],
)
def test_a_range_that_makes_no_sense_is_refused(history: Tenant, as_owner: Client, query: dict[str, str]):
    assert as_owner.get(reverse("billing:usage"), query).status_code == 422
    assert as_owner.get(reverse("billing:usage_export"), query)["Location"] == reverse("billing:usage")


def test_days_and_months_are_the_accounts(history: Tenant):
    Tenant.objects.filter(pk=history.pk).update(time_zone="America/New_York")
    history.refresh_from_db()
    first = EIGHT.date() - DAY

    usage = usage_of(Span(history, first, first))

    # 08:00 and 09:00 in Shanghai is the evening before in New York.
    assert [(row.label, row.as_you_go) for row in usage.rows] == [("2030-09-11", 60)]
    assert not Span(history, first, first + (MOST_DAYS - 1) * DAY).is_long
    assert Span(history, first, first + MOST_DAYS * DAY).is_long


def test_bills_of_past_months_are_final_and_the_current_one_is_an_estimate(
    history: Tenant, owner: User, as_owner: Client
):
    order = make_order(history, user=owner, quantity=2)
    services_payments.pay_order(order=order, method="balance", user=owner)

    page = as_owner.get(reverse("billing:bill_list"))

    september, august = page.context["bills"]
    assert (august.is_final, august.units, august.amount) == (True, 100, Decimal("0.80"))
    assert (september.is_final, september.units, september.used) == (False, 80, Decimal("0.64"))
    assert (september.orders, september.bought, september.amount) == (1, Decimal("25.00"), Decimal("25.64"))
    assert [row[0] for row in sheet(as_owner.get(reverse("billing:bill_export")))[1:]] == [
        "2030-09",
        "2030-08",
    ]


def test_a_month_is_final_only_when_its_last_hour_is_charged(history: Tenant):
    use_units(history, 5, at=EIGHT + 18 * DAY + 15 * HOUR)
    with time_machine.travel(EIGHT + 18 * DAY + 16 * HOUR + timedelta(minutes=3), tick=False):
        before = {f"{bill.month:%m}": bill.is_final for bill in bills_of(history)[0]}
        settlement.settle_usage()
        after = {f"{bill.month:%m}": bill.is_final for bill in bills_of(history)[0]}

    assert before == {"10": False, "09": False, "08": True}
    assert after == {"10": False, "09": True, "08": True}


@pytest.mark.parametrize("name", PAGES)
def test_an_account_without_history_has_empty_pages(acme: Tenant, as_owner: Client, name: str):
    assert as_owner.get(reverse(f"billing:{name}")).status_code == 200


@pytest.mark.parametrize("name", PAGES + EXPORTS)
def test_readers_may_look_and_others_may_not(
    history: Tenant, as_reader: Client, as_newcomer: Client, client: Client, name: str
):
    assert as_reader.get(reverse(f"billing:{name}")).status_code == 200
    assert as_newcomer.get(reverse(f"billing:{name}")).status_code == 403
    assert client.get(reverse(f"billing:{name}")).status_code == 302
    assert as_reader.post(reverse(f"billing:{name}")).status_code == 405


def test_strangers_see_nothing_of_it(history: Tenant, as_stranger: Client):
    assert as_stranger.get(reverse("billing:balance")).context["page"].rows == []
    assert as_stranger.get(reverse("billing:usage")).context["usage"].sources == []
    assert [bill.amount for bill in as_stranger.get(reverse("billing:bill_list")).context["bills"]] == [0]


@pytest.mark.parametrize(("name", "queries"), [("balance", 13), ("usage", 15), ("bill_list", 13)])
def test_pages_take_the_same_few_queries_however_long_the_history(
    history: Tenant, as_owner: Client, django_assert_max_num_queries: Any, name: str, queries: int
):
    for hours in range(2, 30):
        use_units(history, 1, at=EIGHT + hours * HOUR)
    with time_machine.travel(EIGHT + 40 * HOUR, tick=False):
        settlement.settle_usage()
        as_owner.get(reverse(f"billing:{name}"))
        with django_assert_max_num_queries(queries):
            as_owner.get(reverse(f"billing:{name}"))


def test_what_is_reserved_only_is_not_usage(history: Tenant, as_owner: Client):
    services.reserve_units(tenant=history, reference="waiting", units=1_000)

    assert as_owner.get(reverse("billing:usage")).context["usage"].total.units == 110
