"""购买KooMessage套餐包: choose, see the cost, order."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from billing.models import Order, PackageSpec
from iam.models import Tenant, User
from tests.conftest import FRAGMENT
from tests.factories_billing import make_order, make_spec

ADDRESS = "/packages/purchase/"


@pytest.fixture
def spec(db: None) -> PackageSpec:
    return make_spec(price=Decimal("12.50"), units=1000)


def test_the_page_has_its_title_and_says_what_cannot_be_undone(as_owner: Client, spec: PackageSpec):
    page = as_owner.get(ADDRESS).content.decode()

    for words in ("购买KooMessage套餐包", "不支持退订", "无法调整套餐规格", "配置费用", "去支付", "¥12.50"):
        assert words in page


def test_the_cost_follows_a_change_as_a_fragment(as_owner: Client, spec: PackageSpec):
    answer = as_owner.get(ADDRESS, {"spec": spec.pk, "quantity": 3}, **FRAGMENT)

    page = answer.content.decode()
    assert page.lstrip().startswith('<div id="purchase-cost"')
    assert "¥37.50" in page
    assert "3,000" in page


def test_an_address_of_the_calculator_chooses_without_errors(as_owner: Client, spec: PackageSpec):
    page = as_owner.get(ADDRESS, {"spec": spec.pk, "quantity": 2}).content.decode()

    assert f'value="{spec.pk}" ' in page and "checked" in page
    assert "¥25.00" in page
    assert "is-invalid" not in page


def test_an_order_is_made_at_the_catalogues_price(as_owner: Client, spec: PackageSpec, acme: Tenant):
    answer = as_owner.post(
        ADDRESS,
        {
            "spec": spec.pk,
            "quantity": 3,
            "token": uuid4(),
            "price": "0.01",
            "amount": "0.01",
            "units": "999999",
        },
    )

    order = Order.objects.get()
    assert answer["Location"] == f"/packages/orders/{order.pk}/pay/"
    assert (order.tenant, order.amount, order.units) == (acme, Decimal("37.50"), 1000)


def test_an_order_keeps_the_price_it_was_made_with(as_owner: Client, spec: PackageSpec):
    as_owner.post(ADDRESS, {"spec": spec.pk, "quantity": 1, "token": uuid4()})
    PackageSpec.objects.filter(pk=spec.pk).update(price="99.00", units=1, name="x")

    order = Order.objects.get()
    assert order.amount == Decimal("12.50")
    assert "¥12.50" in as_owner.get(f"/packages/orders/{order.pk}/").content.decode()


def test_the_same_form_sent_twice_is_one_order(as_owner: Client, spec: PackageSpec):
    form = {"spec": spec.pk, "quantity": 1, "token": uuid4()}

    first, second = as_owner.post(ADDRESS, form), as_owner.post(ADDRESS, form)

    assert first["Location"] == second["Location"]


@pytest.mark.parametrize(
    "quantity", ["0", "-1", "11", "1e18", "1000000000000000000", "NaN", "inf", "1.5", "", "x"]
)
def test_an_odd_quantity_is_refused_and_nothing_typed_is_lost(
    as_owner: Client, spec: PackageSpec, quantity: str
):
    answer = as_owner.post(ADDRESS, {"spec": spec.pk, "quantity": quantity, "token": uuid4()})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "is-invalid" in page
    assert f'value="{spec.pk}"' in page and "checked" in page
    assert not Order.objects.exists()


def test_a_withdrawn_an_unknown_and_no_specification_are_refused(as_owner: Client, spec: PackageSpec):
    gone = make_spec(is_offered=False)

    for choice in (gone.pk, 0, "x", ""):
        answer = as_owner.post(ADDRESS, {"spec": choice, "quantity": 1, "token": uuid4()})
        assert answer.status_code == 422
    assert not Order.objects.exists()


def test_who_may_not_order_is_refused(as_reader: Client, as_newcomer: Client, spec: PackageSpec):
    for client in (as_reader, as_newcomer):
        assert client.get(ADDRESS).status_code == 403
        assert client.post(ADDRESS, {"spec": spec.pk, "quantity": 1}).status_code == 403
    assert not Order.objects.exists()


def test_the_calculator_adds_up_a_mix(as_owner: Client, spec: PackageSpec):
    other = make_spec(price=Decimal("0.10"), units=1)

    query = {f"spec_{spec.pk}": 2, f"spec_{other.pk}": 3}
    whole = as_owner.get("/packages/calculator/", query).content.decode()
    part = as_owner.get("/packages/calculator/", query, **FRAGMENT).content.decode()

    assert "¥25.30" in whole and "¥25.30" in part
    assert part.lstrip().startswith('<div id="calculation"')


@pytest.mark.parametrize("quantity", ["-1", "11", "1e18", "NaN"])
def test_the_calculator_says_what_is_odd(as_owner: Client, spec: PackageSpec, quantity: str):
    page = as_owner.get("/packages/calculator/", {f"spec_{spec.pk}": quantity}).content.decode()

    assert "is-invalid" in page


def test_the_pages_cost_a_fixed_number_of_queries(
    as_owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries, db: None
):
    for address in (ADDRESS, "/packages/calculator/"):
        with django_assert_max_num_queries(6):
            as_owner.get(address)


def test_without_a_catalogue_the_page_says_so(as_owner: Client):
    PackageSpec.objects.update(is_offered=False)

    page = as_owner.get(ADDRESS).content.decode()

    assert "empty-state" in page
    assert "purchase-form" not in page


def test_an_account_buys_no_more_than_the_limit(as_owner: Client, acme: Tenant, owner: User):
    spec = make_spec(most_per_account=3)
    first = make_order(acme, user=owner, spec=spec, quantity=2)
    form = {"spec": spec.pk, "quantity": 2, "token": str(uuid4())}

    refused = as_owner.post("/packages/purchase/", form)
    one = as_owner.post("/packages/purchase/", {**form, "quantity": 1})
    Order.objects.filter(pk=first.pk).update(expires_at=timezone.now())
    freed = as_owner.post("/packages/purchase/", {**form, "token": str(uuid4())})

    assert refused.status_code == 422 and "field-error" in refused.content.decode()
    assert (one.status_code, freed.status_code) == (302, 302)
