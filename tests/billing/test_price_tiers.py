"""Prices of pay-as-you-go in the admin: new ones begin in the future, what is in force has been charged."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from billing.models import PriceTier
from tests.exchange import address, confirm, export, preview
from tests.factories_billing import make_tiers

pytestmark = pytest.mark.django_db
LIST = "/admin/billing/pricetier/"


def test_an_installation_begins_with_prices():
    tiers = list(PriceTier.objects.in_force("CNY", timezone.now()).values_list("from_units", flat=True))

    assert tiers == [0, 100_000, 500_000, 1_000_000]


def moment(days: int) -> dict[str, str]:
    day = timezone.localtime(timezone.now() + timedelta(days=days))
    return {"valid_from_0": day.strftime("%Y-%m-%d"), "valid_from_1": "00:00:00"}


@pytest.mark.parametrize(("days", "added"), [(2, True), (-2, False)])
def test_a_new_price_begins_in_the_future(as_operator: Client, days: int, added: bool):
    form = {"currency": "CNY", "from_units": "0", "price": "0.0090", **moment(days)}

    answer = as_operator.post(f"{LIST}add/", form)

    assert answer.status_code == (302 if added else 200)
    assert PriceTier.objects.filter(price="0.0090").exists() == added


@pytest.mark.parametrize("price", ["-0.0001", "0.00001", "NaN", "1e9", "x"])
def test_an_odd_price_is_refused(as_operator: Client, price: str):
    form = {"currency": "CNY", "from_units": "0", "price": price, **moment(2)}

    assert as_operator.post(f"{LIST}add/", form).status_code == 200
    assert PriceTier.objects.count() == 4


def test_a_price_in_force_is_neither_changed_nor_deleted(as_operator: Client):
    (tier,) = make_tiers((0, "0.0080"))
    (coming,) = make_tiers((0, "0.0070"), since=timezone.now() + timedelta(days=1))
    chosen = {"action": "delete_selected", "_selected_action": [tier.pk], "post": "yes"}

    assert as_operator.post(f"{LIST}{tier.pk}/change/", {"price": "0.0010"}).status_code == 403
    assert as_operator.post(f"{LIST}{tier.pk}/delete/", {"post": "yes"}).status_code == 403
    as_operator.post(LIST, chosen)
    assert PriceTier.objects.filter(pk=tier.pk, price="0.0080").exists()
    assert as_operator.post(f"{LIST}{coming.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not PriceTier.objects.filter(pk=coming.pk).exists()


def test_what_was_taken_out_comes_in_again_as_it_is(as_operator: Client):
    make_tiers((0, "0.0080"), since=timezone.now().replace(microsecond=0) + timedelta(days=1))
    before = list(PriceTier.objects.values_list())
    text = export(as_operator, PriceTier).content.decode("utf-8-sig")

    shown = preview(as_operator, PriceTier, text)
    confirm(as_operator, PriceTier, shown)

    assert list(PriceTier.objects.values_list()) == before


def test_a_file_brings_new_tiers_and_no_change_of_old_ones(as_operator: Client):
    begins = (timezone.now() + timedelta(days=9)).strftime("%Y-%m-%d 00:00:00")
    heading = "currency,valid_from,from_units,price\n"

    confirm(as_operator, PriceTier, preview(as_operator, PriceTier, f"{heading}CNY,{begins},0,0.0033\n"))
    refused = preview(as_operator, PriceTier, f"{heading}CNY,2020-01-01 08:00:00,0,0.0001\n")

    assert PriceTier.objects.filter(price="0.0033").count() == 1
    assert refused.context["result"].has_validation_errors()
    assert address(PriceTier) == LIST
