"""The list of sending domains."""

import pytest
from django.urls import reverse

from tests.conftest import FRAGMENT
from tests.factories_domains import make_domain

pytestmark = pytest.mark.django_db
URL = "/email/domains/"


def test_the_page_shows_the_domains_with_their_states(as_owner, acme):
    make_domain(acme, name="a.shop.example", verified=True)
    make_domain(acme, name="xn--fsqu00a.xn--fiqs8s", display_name="例子.中国")

    answer = as_owner.get(URL)

    page = answer.content.decode()
    assert answer.status_code == 200
    for text in (
        "新建发信域名",
        "发信域名",
        "验证通过",
        "验证未通过",
        "例子.中国",
        "xn--fsqu00a",
        "查看",
        "编辑",
        "删除",
    ):
        assert text in page, text


def test_the_fragment_is_only_the_list(as_owner, acme):
    make_domain(acme)

    page = as_owner.get(URL, **FRAGMENT).content.decode()

    assert page.lstrip().startswith('<div id="domain-list"')
    assert "<html" not in page


def test_other_accounts_domains_are_not_there(as_stranger, acme):
    domain = make_domain(acme)

    assert domain.name not in as_stranger.get(URL, **FRAGMENT).content.decode()


def test_searching_finds_the_name_people_read_and_the_name_of_dns(as_owner, acme):
    make_domain(acme, name="xn--fsqu00a.xn--fiqs8s", display_name="例子.中国")
    make_domain(acme, name="other.example")

    for text in ("例子", "xn--fsqu00a"):
        page = as_owner.get(URL, {"name": text}, **FRAGMENT).content.decode()
        assert "例子.中国" in page
        assert "other.example" not in page


def test_the_list_is_sorted_by_the_column_that_is_asked(as_owner, acme):
    for name in ("b.example", "a.example", "c.example"):
        make_domain(acme, name=name)

    page = as_owner.get(URL, {"sort": "name"}, **FRAGMENT).content.decode()

    assert page.index("a.example") < page.index("b.example") < page.index("c.example")


def test_an_empty_list_says_what_to_do(as_owner):
    assert reverse("email:domain_add") in as_owner.get(URL, **FRAGMENT).content.decode()


def test_the_list_costs_the_same_however_long_it_is(as_owner, acme, django_assert_num_queries):
    for number in range(10):
        make_domain(acme, name=f"n{number}.example")

    with django_assert_num_queries(6):  # session, user, account, gates, rows, count
        as_owner.get(URL, **FRAGMENT)


def test_a_reader_sees_no_buttons_for_what_it_may_not_do(as_reader, acme):
    domain = make_domain(acme)

    page = as_reader.get(URL, **FRAGMENT).content.decode()

    assert domain.name in page
    assert reverse("email:domain_edit", args=[domain.pk]) not in page
    assert reverse("email:domain_delete", args=[domain.pk]) not in page


def test_somebody_without_rights_is_refused(as_newcomer):
    assert as_newcomer.get(URL).status_code == 403


def test_visitors_are_sent_to_the_sign_in_page(client, db):
    assert client.get(URL).status_code == 302
