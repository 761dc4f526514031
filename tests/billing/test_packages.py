"""套餐包管理: the packages of an account, and what 总览 reads of them."""

from django.test import Client
from pytest_django import DjangoAssertNumQueries

from billing import queries, services
from iam.models import Tenant
from tests.conftest import FRAGMENT
from tests.factories_billing import make_package

ADDRESS = "/packages/"


def test_the_list_shows_total_used_reserved_and_remaining(as_owner: Client, acme: Tenant):
    make_package(acme, units=5000, name="大包")
    services.reserve_units(tenant=acme, reference="C1", units=1500)
    services.settle_units(tenant=acme, reference="C1", consumed=1200, released=0)

    page = as_owner.get(ADDRESS).content.decode()

    for words in ("购买套餐包", "大包", "5,000", "1,200", ">300<", "3,500", "可使用"):
        assert words in page


def test_states_follow_from_time_and_use(as_owner: Client, acme: Tenant):
    make_package(acme, units=5, name="used")
    services.reserve_units(tenant=acme, reference="C1", units=5)
    make_package(acme, units=5, days=-1, name="ended")
    make_package(acme, units=5, name="open")

    for state, name in [("active", "open"), ("used_up", "used"), ("expired", "ended")]:
        page = as_owner.get(ADDRESS, {"state": state}, **FRAGMENT).content.decode()
        assert [word for word in ("used", "ended", "open") if f">{word}</td>" in page] == [name]


def test_the_list_comes_as_a_fragment_and_is_searched(as_owner: Client, acme: Tenant):
    make_package(acme, name="春季")
    make_package(acme, name="秋季")

    page = as_owner.get(ADDRESS, {"name": "春"}, **FRAGMENT).content.decode()

    assert page.lstrip().startswith('<div id="package-list"')
    assert "春季" in page and "秋季" not in page


def test_a_new_account_is_told_what_to_do(as_owner: Client, as_reader: Client):
    assert "empty-state" in as_owner.get(ADDRESS).content.decode()
    assert "/packages/purchase/" not in as_reader.get(ADDRESS).content.decode()


def test_others_packages_are_not_shown_and_newcomers_see_none(
    as_stranger: Client, as_newcomer: Client, acme: Tenant
):
    make_package(acme, name="春季")

    assert "春季" not in as_stranger.get(ADDRESS).content.decode()
    assert as_newcomer.get(ADDRESS).status_code == 403


def test_the_overview_gets_usable_packages_first(acme: Tenant, globex: Tenant):
    make_package(acme, name="late", days=60)
    make_package(acme, name="ended", days=-1)
    make_package(acme, name="soon", days=2)
    make_package(globex, name="other")

    lines = queries.overview_packages(acme)

    assert [(line.name, line.is_usable) for line in lines] == [
        ("soon", True),
        ("late", True),
        ("ended", False),
    ]


def test_the_list_costs_a_fixed_number_of_queries(
    as_owner: Client, acme: Tenant, django_assert_max_num_queries: DjangoAssertNumQueries
):
    for _ in range(5):
        make_package(acme)

    with django_assert_max_num_queries(7):
        as_owner.get(ADDRESS)
