"""The list of sender addresses, the dialog, and deleting."""

import pytest
from django.urls import reverse

from email_service.addresses import queries, uses
from email_service.addresses.models import Address
from iam.models import AuditEntry
from koomessage.common.errors import RuleViolation
from tests.conftest import FRAGMENT
from tests.factories import make_user
from tests.factories_domains import make_address, make_domain
from tests.factories_sending import make_task

pytestmark = pytest.mark.django_db
URL = "/email/addresses/"
ADD = "/email/addresses/add/"


def delete_url(address: Address) -> str:
    return reverse("email:address_delete", args=[address.pk])


@pytest.fixture
def domain(acme):
    return make_domain(acme, name="shop.example", verified=True)


@pytest.fixture
def _somebody_uses_it(monkeypatch):
    monkeypatch.setattr(
        uses, "_uses", [lambda address: RuleViolation(f"The task Autumn uses {address.address}.")]
    )


def test_an_address_is_added_at_a_verified_domain(as_owner, acme, domain):
    answer = as_owner.post(ADD, {"domain": domain.pk, "prefix": " Info ", "alias": "  云消息  客服 🚀 "})

    assert answer["Location"] == URL
    address = Address.objects.for_tenant(acme).get()
    assert (address.address, address.prefix, address.alias) == ("Info@shop.example", "Info", "云消息 客服 🚀")
    assert AuditEntry.objects.filter(action="kooMessage:emailAddress:create").exists()
    page = as_owner.get(URL).content.decode()
    for text in (
        "新建发信地址",
        "发信地址",
        "发信人别名",
        "创建时间",
        "操作",
        "Info@shop.example",
        "云消息 客服",
        "删除",
    ):
        assert text in page, text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prefix", ""),
        ("prefix", "a b"),
        ("prefix", ".a"),
        ("prefix", "a."),
        ("prefix", "a..b"),
        ("prefix", "a@shop.example"),
        ("prefix", '"quoted"'),
        ("prefix", "客服"),
        ("prefix", "x" * 65),
        ("alias", "x" * 65),
        ("alias", "Acme\nBcc: x@y.example"),
        ("alias", "Acme\u202egnp.exe"),
        ("alias", "\u2066Acme"),
        ("domain", ""),
        ("domain", "999999"),
        ("domain", "x"),
    ],
)
def test_odd_input_is_refused_and_nothing_typed_is_lost(as_owner, domain, field, value):
    data = {"domain": str(domain.pk), "prefix": "info", "alias": "Acme", field: value}

    answer = as_owner.post(ADD, data, **FRAGMENT)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "field-error" in page
    assert not Address.objects.exists()
    kept = {"domain": 'value="info"', "prefix": 'value="Acme"', "alias": 'value="info"'}[field]
    assert kept in page


@pytest.mark.parametrize(
    "prefix", ["a", "x" * 64, "first.last", "o'brien+tag", "!#$%&'*/=?^_`{|}~-", "１２３"]
)
def test_every_local_part_of_the_standard_is_taken(as_owner, domain, prefix):
    assert as_owner.post(ADD, {"domain": domain.pk, "prefix": prefix}).status_code == 302


@pytest.mark.parametrize("alias", ["", "文" * 64, "شركة", "Ünïcödé", "👨‍👩‍👧", 'a, b; <c> "d"'])
def test_any_script_is_an_alias(as_owner, domain, alias):
    assert as_owner.post(ADD, {"domain": domain.pk, "prefix": "info", "alias": alias}).status_code == 302
    assert Address.objects.get().alias == alias


def test_the_preview_shows_without_scripts_too(as_owner, domain):
    page = as_owner.post(ADD, {"domain": domain.pk, "prefix": "in fo"}, **FRAGMENT).content.decode()

    assert "发信地址预览" in page
    assert ">in fo@shop.example<" in page


def test_the_preview_shows_the_alias_as_recipients_see_it(as_owner, domain):
    data = {"domain": domain.pk, "prefix": "in fo", "alias": " 云消息  <b> "}

    page = as_owner.post(ADD, data, **FRAGMENT).content.decode()

    assert "<bdi>云消息 &lt;b&gt;</bdi> <bdi>&lt;in fo@shop.example&gt;</bdi>" in page


def test_an_address_exists_once_however_it_is_spelled(as_owner, domain):
    make_address(domain, prefix="info")

    assert as_owner.post(ADD, {"domain": domain.pk, "prefix": "INFO"}, **FRAGMENT).status_code == 422


def test_only_verified_domains_of_the_account_are_offered(as_owner, acme, globex, domain):
    waiting = make_domain(acme, name="waiting.example")
    theirs = make_domain(globex, name="theirs.example", verified=True)

    page = as_owner.get(ADD, **FRAGMENT).content.decode()

    assert "shop.example" in page
    assert "waiting.example" not in page
    assert "theirs.example" not in page
    for other in (waiting, theirs):
        assert as_owner.post(ADD, {"domain": other.pk, "prefix": "info"}).status_code == 422


def test_without_a_verified_domain_the_page_leads_to_the_domains(as_owner):
    page = as_owner.get(ADD, **FRAGMENT).content.decode()

    assert reverse("email:domain_list") in page
    assert 'name="prefix"' not in page


def test_the_list_finds_addresses_and_aliases(as_owner, domain):
    make_address(domain, prefix="news", alias="云客服")
    make_address(domain, prefix="billing", alias="")

    for text in ("NEWS@", "云客"):
        page = as_owner.get(URL, {"address": text}, **FRAGMENT).content.decode()
        assert "news@shop.example" in page
        assert "billing@" not in page


def test_the_list_says_which_domains_are_no_longer_verified(as_owner, acme):
    make_address(make_domain(acme, name="lost.example"))

    assert "验证未通过" in as_owner.get(URL, **FRAGMENT).content.decode()


def test_the_list_costs_the_same_however_long_it_is(as_owner, domain, django_assert_num_queries):
    for number in range(12):
        make_address(domain, prefix=f"n{number}")

    with django_assert_num_queries(5):  # session, user, account, gate, rows
        as_owner.get(URL, **FRAGMENT)


def test_an_alias_is_text_and_never_markup(as_owner, domain):
    make_address(domain, alias="<script>alert(1)</script>")

    assert "<script>alert" not in as_owner.get(URL, **FRAGMENT).content.decode()


def test_deleting_asks_first(as_owner, domain):
    address = make_address(domain)

    assert "确定" in as_owner.get(delete_url(address), **FRAGMENT).content.decode()
    assert Address.objects.exists()
    assert as_owner.post(delete_url(address))["Location"] == URL
    assert not Address.objects.exists()


@pytest.mark.usefixtures("_somebody_uses_it")
def test_an_address_in_use_stays_and_its_user_is_named(as_owner, domain):
    address = make_address(domain)

    answer = as_owner.post(delete_url(address), **FRAGMENT)

    assert answer.status_code == 422
    assert "Autumn" in answer.content.decode()
    assert Address.objects.exists()


@pytest.mark.parametrize("headers", [{}, FRAGMENT], ids=["page", "fragment"])
def test_an_unfinished_task_keeps_its_address_and_is_linked(as_owner, acme, domain, headers):
    address = make_address(domain)
    task = make_task(acme, address=address, name="Autumn <b>{0}")

    answer = as_owner.post(delete_url(address), **headers)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Autumn &lt;b&gt;{0}" in page
    assert f'href="{task.get_absolute_url()}"' in page
    assert Address.objects.exists()


def test_the_link_to_the_task_is_for_those_who_may_view_tasks(acme, domain, client):
    document = {
        "Version": "1.1",
        "Statement": [{"Effect": "Allow", "Action": ["kooMessage:emailAddress:*"]}],
    }
    keeper = make_user(acme, name="keeper", policies=[document])
    client.force_login(keeper, backend="iam.backends.StaffBackend")
    address = make_address(domain)
    task = make_task(acme, address=address, name="Autumn")

    page = client.post(delete_url(address), **FRAGMENT).content.decode()

    assert "Autumn" in page
    assert task.get_absolute_url() not in page


def test_when_its_task_has_ended_the_address_can_be_deleted(as_owner, acme, domain):
    address = make_address(domain)
    task = make_task(acme, address=address, status="finished")

    assert as_owner.post(delete_url(address)).status_code == 302
    task.refresh_from_db()
    assert (task.address, task.sender) == (None, address.address)


def test_a_reader_may_look_and_nothing_else(as_reader, domain):
    address = make_address(domain)

    page = as_reader.get(URL, **FRAGMENT).content.decode()
    assert address.address in page
    assert delete_url(address) not in page
    assert as_reader.get(ADD).status_code == 403
    assert as_reader.post(delete_url(address)).status_code == 403


def test_somebody_without_rights_is_refused(as_newcomer):
    assert as_newcomer.get(URL).status_code == 403


def test_another_accounts_address_is_not_there(as_stranger, domain):
    address = make_address(domain)

    assert as_stranger.post(delete_url(address)).status_code == 404
    assert address.address not in as_stranger.get(URL, **FRAGMENT).content.decode()


def test_tasks_choose_among_the_addresses_that_may_send(acme, domain):
    usable = make_address(domain, prefix="news", alias="News")
    make_address(make_domain(acme))

    assert queries.choices_for(acme) == [(str(usable.pk), "News <news@shop.example>")]
