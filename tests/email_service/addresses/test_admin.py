"""Sender addresses in the admin: to look at, to take out, and to bring in through the service."""

from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from email_service.addresses.models import Address
from email_service.domains.models import Domain
from iam.models import AuditEntry, Tenant
from tests.exchange import XLSX, address, cells, confirm, export, preview
from tests.factories import make_tenant
from tests.factories_domains import make_address, make_domain

pytestmark = pytest.mark.django_db
LIST = address(Address)


@pytest.fixture
def shop(acme: Tenant) -> Domain:
    return make_domain(acme, name="shop.example", verified=True)


@pytest.fixture(autouse=True)
def _english(as_operator: Client) -> None:
    as_operator.cookies["django_language"] = "en"


def test_the_list_shows_searches_and_filters(as_operator: Client, shop: Domain):
    make_address(shop, prefix="news", alias="=Evil <b>")
    make_address(prefix="care")

    page = as_operator.get(LIST)

    assert "news@shop.example" in page.content.decode()
    assert "=Evil &lt;b&gt;" in page.content.decode()
    found = as_operator.get(f"{LIST}?q=shop.example").context["cl"].result_list
    assert [row.prefix for row in found] == ["news"]
    assert as_operator.get(f"{LIST}?domain__status__exact=unverified").context["cl"].result_count == 0


def test_nothing_is_changed_row_by_row(as_operator: Client, shop: Domain):
    row = make_address(shop)

    assert as_operator.get(f"{LIST}{row.pk}/change/").status_code == 200
    assert as_operator.get(f"{LIST}add/").status_code == 403
    for path in ("change", "delete"):
        assert as_operator.post(f"{LIST}{row.pk}/{path}/", {"post": "yes"}).status_code == 403


def test_a_file_is_previewed_and_then_carried_out_by_the_service(
    as_operator: Client, acme: Tenant, shop: Domain
):
    make_address(shop, prefix="known", alias="Known")
    file = "account,address,alias\nacme,news@SHOP.example,新闻\nACME,known@shop.example,Known\n"

    shown = preview(as_operator, Address, file)

    page = shown.content.decode()
    assert "Passed over" in page and "新闻" in page
    assert Address.objects.count() == 1
    assert not AuditEntry.objects.filter(action="kooMessage:emailAddress:create").exists()
    done = confirm(as_operator, Address, shown)
    assert done.redirect_chain[-1][0] == LIST
    added = Address.objects.get(prefix="news")
    assert (added.tenant, added.address, added.alias) == (acme, "news@shop.example", "新闻")
    assert AuditEntry.objects.get(action="kooMessage:emailAddress:create").login == "operator"


def test_what_goes_out_comes_in_again_unchanged(as_operator: Client, shop: Domain):
    make_address(shop, prefix="news", alias="=1+1")
    for kind in ("0", XLSX):
        out = export(as_operator, Address, kind=kind)

        shown = preview(as_operator, Address, out.content, kind=kind)

        assert "Passed over" in shown.content.decode()


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("nobody,a@shop.example,", "There is no account of this name."),
        (",a@shop.example,", "There is no account of this name."),
        ("globex,a@shop.example,", "The account has no such domain."),
        ("acme,a@waiting.example,", "Choose a domain that is verified."),
        ("acme,shop.example,", "Write the address whole: prefix@domain."),
        ("acme,a b@shop.example,", "without spaces"),
        ("acme,a@shop example,", "not a domain name"),
        ("acme,a@shop.example,x\u202ey", "invisible character"),
        ("acme,known@shop.example,Another alias", "This sender address exists already."),
    ],
)
def test_a_refused_row_is_named_and_nothing_comes_in(
    as_operator: Client, shop: Domain, row: str, sentence: str
):
    make_tenant(account="globex")
    make_domain(shop.tenant, name="waiting.example")
    make_address(shop, prefix="known", alias="Known")

    shown = preview(as_operator, Address, f"account,address,alias\nacme,good@shop.example,\n{row}\n")

    page = shown.content.decode()
    assert sentence in page
    assert "confirm_form" not in shown.context
    assert '<th scope="row">2</th>' in page
    assert Address.objects.count() == 1


def test_what_changed_since_the_preview_leaves_nothing_half_done(
    as_operator: Client, acme: Tenant, shop: Domain
):
    other = make_domain(acme, name="other.example", verified=True)
    shown = preview(as_operator, Address, "account,address\nacme,a@shop.example\nacme,a@other.example\n")
    Domain.objects.filter(pk=other.pk).update(status="unverified")

    done = confirm(as_operator, Address, shown)

    assert done.redirect_chain[-1][0] == f"{LIST}import/"
    assert "Nothing was imported" in done.content.decode()
    assert not Address.objects.exists()


def test_a_workbook_comes_in_too(as_operator: Client, shop: Domain):
    make_address(shop, prefix="news")
    content = export(as_operator, Address, kind=XLSX).content
    Address.objects.all().delete()

    shown = preview(as_operator, Address, content, kind=XLSX)
    confirm(as_operator, Address, shown)

    assert Address.objects.get().prefix == "news"


def test_the_file_names_account_address_and_alias(as_operator: Client, shop: Domain):
    make_address(shop, prefix="news", alias="=HYPERLINK(1)")

    heading, row = cells(export(as_operator, Address, kind=XLSX))

    assert heading == ["account", "address", "alias", "created_at"]
    assert row[:3] == ["acme", "news@shop.example", "=HYPERLINK(1)"]


def test_columns_are_offered_by_their_names_on_screen(as_operator: Client):
    as_operator.cookies["django_language"] = "zh-hans"
    with translation.override("zh-hans"):
        assert "发信地址 (address)" in as_operator.get(f"{LIST}export/").content.decode()


def test_the_list_and_the_file_cost_a_fixed_number_of_queries(
    as_operator: Client, shop: Domain, django_assert_num_queries: Any
):
    for number in range(2):
        [make_address(shop) for _more in range(1 + 5 * number)]
        make_address()
        with django_assert_num_queries(4):
            as_operator.get(LIST)
        with django_assert_num_queries(4):
            export(as_operator, Address)
