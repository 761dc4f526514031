"""Sending domains in the admin: to look at and to take out."""

from typing import Any

import pytest
from django.test import Client

from email_service.domains.models import Domain
from iam.models import Tenant
from tests.exchange import address, cells, export, preview
from tests.factories_domains import make_domain

pytestmark = pytest.mark.django_db
LIST = address(Domain)


def test_the_list_shows_searches_and_filters(as_operator: Client, acme: Tenant, globex: Tenant):
    make_domain(acme, name="xn--fsqu00a.xn--55qw42g", display_name="例子.公益", verified=True)
    make_domain(globex, name="other.example")

    def shown(query: str) -> list[str]:
        return [row.name for row in as_operator.get(LIST + query).context["cl"].result_list]

    assert shown("") == ["other.example", "xn--fsqu00a.xn--55qw42g"]
    assert (
        shown("?q=例子")
        == shown("?q=acme")
        == shown("?status__exact=verified")
        == ["xn--fsqu00a.xn--55qw42g"]
    )
    assert shown("?verified_at__isempty=1") == ["other.example"]


def test_nothing_is_changed_here(as_operator: Client, acme: Tenant):
    domain = make_domain(acme, token="ownership-token-9f3a")

    page = as_operator.get(f"{LIST}{domain.pk}/change/").content.decode()

    assert domain.name in page
    assert "ownership-token-9f3a" not in page
    assert as_operator.get(f"{LIST}add/").status_code == 403
    for path in ("change", "delete"):
        assert as_operator.post(f"{LIST}{domain.pk}/{path}/", {"post": "yes"}).status_code == 403
    assert preview(as_operator, Domain, "account,name\nacme,x.example\n").status_code in (302, 404)


def test_the_filtered_list_goes_out(as_operator: Client, acme: Tenant, globex: Tenant):
    domain = make_domain(acme, name="shop.example", verified=True)
    make_domain(globex)

    heading, row = cells(export(as_operator, Domain, kind="1", query="?status__exact=verified"))

    assert heading == ["account", "name", "display_name", "status", "verified_at", "checked_at", "created_at"]
    assert row[:4] == ["acme", "shop.example", "shop.example", "verified"]
    assert domain.verified_at is not None
    assert row[4][:2] == "20" and len(row[4]) == 19


def test_the_list_and_the_file_cost_a_fixed_number_of_queries(
    as_operator: Client, acme: Tenant, globex: Tenant, django_assert_num_queries: Any
):
    for number in range(2):
        if number:
            [make_domain(globex) for _more in range(5)]
        make_domain(acme)
        with django_assert_num_queries(4):
            as_operator.get(LIST)
        with django_assert_num_queries(4):
            export(as_operator, Domain)
