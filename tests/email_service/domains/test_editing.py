"""Adding, renaming and deleting sending domains."""

import pytest
from django.urls import reverse

from email_service.domains import queries, services
from email_service.domains.models import DkimKey, Domain
from iam.models import AuditEntry
from koomessage.common.errors import RuleViolation
from tests.conftest import FRAGMENT
from tests.factories_domains import make_address, make_domain
from tests.factories_sending import make_task

pytestmark = pytest.mark.django_db
ADD = "/email/domains/add/"


def edit_url(domain: Domain) -> str:
    return reverse("email:domain_edit", args=[domain.pk])


def delete_url(domain: Domain) -> str:
    return reverse("email:domain_delete", args=[domain.pk])


def test_a_new_domain_is_unverified_and_has_its_records_and_key(as_owner, acme):
    answer = as_owner.post(ADD, {"name": "https://Mail.Shop.Example/"})

    domain = Domain.objects.for_tenant(acme).get()
    assert answer.status_code == 302
    assert answer["Location"] == domain.get_absolute_url()
    assert (domain.name, domain.status) == ("mail.shop.example", "unverified")
    assert [row.kind for row in domain.records.all()] == ["CNAME", "CNAME", "MX", "TXT", "TXT"]
    assert domain.records.get(purpose="tracking").expected == f"{domain.token}.track.koomessage.example"
    key = queries.signing_key(domain.pk)
    assert key is not None
    assert domain.records.get(purpose="dkim").name == "koo1._domainkey.mail.shop.example"
    assert domain.records.get(purpose="dkim").expected == f"v=DKIM1; k=rsa; p={key.public_key}"
    assert AuditEntry.objects.filter(action="kooMessage:emailDomain:create", target=domain.name).exists()


def test_the_private_key_is_stored_encrypted(as_owner, acme):
    as_owner.post(ADD, {"name": "shop.example"})

    stored = DkimKey.objects.extra(select={"raw": "private_key"}).values_list("raw", flat=True)[0]

    assert "PRIVATE KEY" not in stored
    assert "PRIVATE KEY" in DkimKey.objects.get().private_key


def test_a_domain_of_another_script_is_stored_as_dns_writes_it(as_owner, acme):
    as_owner.post(ADD, {"name": "例子.中国"})

    domain = Domain.objects.for_tenant(acme).get()
    assert (domain.name, domain.display_name) == ("xn--fsqu00a.xn--fiqs8s", "例子.中国")


@pytest.mark.parametrize("name", ["", "com", "127.0.0.1", "a" * 63 + ".com", "x" * 400])
def test_what_is_no_domain_comes_back_with_what_was_typed(as_owner, acme, name):
    answer = as_owner.post(ADD, {"name": name}, **FRAGMENT)

    assert answer.status_code == 422
    assert f'value="{name}"' in answer.content.decode() or name == ""
    assert not Domain.objects.exists()


def test_the_same_domain_twice_is_refused(as_owner, acme):
    make_domain(acme, name="shop.example")

    assert as_owner.post(ADD, {"name": "SHOP.example."}, **FRAGMENT).status_code == 422


def test_another_account_may_add_the_same_name(as_stranger, acme, globex):
    theirs = make_domain(acme, name="shop.example")

    as_stranger.post(ADD, {"name": "shop.example"})

    assert Domain.objects.for_tenant(globex).get().token != theirs.token


def test_the_eleventh_domain_is_refused(as_owner, acme):
    for number in range(10):
        make_domain(acme, name=f"n{number}.example")

    answer = as_owner.post(ADD, {"name": "n10.example"}, **FRAGMENT)

    assert answer.status_code == 422
    assert "10" in answer.content.decode()
    assert Domain.objects.count() == 10


def test_the_dialog_and_the_page_are_one_address(as_owner, acme):
    fragment = as_owner.get(ADD, **FRAGMENT).content.decode()
    page = as_owner.get(ADD).content.decode()

    assert "发信域名配置" in fragment
    assert "<html" not in fragment
    assert "<html" in page
    assert "提交" in page


def test_a_new_name_brings_new_records_and_takes_the_proof_away(as_owner, acme):
    domain = make_domain(acme, name="old.example", verified=True)
    token, key = domain.token, queries.signing_key(domain.pk)

    answer = as_owner.post(edit_url(domain), {"name": "new.example"})

    domain.refresh_from_db()
    assert answer.status_code == 302
    assert (domain.name, domain.display_name, domain.status) == ("new.example", "new.example", "unverified")
    assert domain.token != token
    assert queries.signing_key(domain.pk).public_key != key.public_key
    assert {row.status for row in domain.records.all()} == {"unknown"}
    assert all("new.example" in row.name for row in domain.records.all())


def test_the_same_name_changes_nothing(as_owner, acme):
    domain = make_domain(acme, verified=True)

    as_owner.post(edit_url(domain), {"name": domain.name.upper()})

    domain.refresh_from_db()
    assert domain.is_verified


@pytest.mark.parametrize(("url", "data"), [(edit_url, {"name": "new.example"}), (delete_url, {})])
def test_a_domain_that_addresses_use_stays_as_it_is_and_they_are_named(as_owner, acme, url, data):
    domain = make_domain(acme, verified=True)
    address = make_address(domain)

    answer = as_owner.post(url(domain), data, **FRAGMENT)

    assert answer.status_code == 422
    assert address.address in answer.content.decode()
    assert Domain.objects.filter(pk=domain.pk, name=domain.name).exists()


@pytest.mark.parametrize(
    ("url", "data"), [(edit_url, {"name": "other.example"}), (delete_url, {})], ids=["edit", "delete"]
)
def test_a_domain_that_a_task_signs_with_stays_and_the_task_is_linked(as_owner, acme, url, data):
    domain = make_domain(acme, verified=True)
    address = make_address(domain)
    task = make_task(acme, address=address, name="Autumn <b>")
    address.delete()

    answer = as_owner.post(url(domain), data, **FRAGMENT)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Autumn &lt;b&gt;" in page
    assert f'href="{task.get_absolute_url()}"' in page


def test_renaming_to_a_name_of_the_list_is_refused(as_owner, acme):
    make_domain(acme, name="taken.example")
    domain = make_domain(acme, name="mine.example")

    assert as_owner.post(edit_url(domain), {"name": "taken.example"}, **FRAGMENT).status_code == 422


def test_deleting_asks_first_and_then_deletes_the_key_too(as_owner, acme):
    domain = make_domain(acme)

    question = as_owner.get(delete_url(domain), **FRAGMENT).content.decode()
    assert domain.name in question
    assert "确定" in question
    assert Domain.objects.exists()

    assert as_owner.post(delete_url(domain), **FRAGMENT)["HX-Redirect"] == "/email/domains/"
    assert not Domain.objects.exists()
    assert not DkimKey.objects.exists()


@pytest.mark.parametrize("page", ["domain_detail", "domain_edit", "domain_delete", "domain_status"])
def test_another_accounts_domain_is_not_there(as_stranger, acme, page):
    domain = make_domain(acme)

    assert as_stranger.get(reverse(f"email:{page}", args=[domain.pk])).status_code == 404


def test_another_accounts_domain_cannot_be_changed(as_stranger, acme):
    domain = make_domain(acme)

    for url in (edit_url(domain), delete_url(domain), reverse("email:domain_check", args=[domain.pk])):
        assert as_stranger.post(url, {"name": "new.example"}).status_code == 404
    assert Domain.objects.filter(pk=domain.pk, name=domain.name, checking_since=None).exists()


def test_a_reader_may_look_and_nothing_else(as_reader, acme):
    domain = make_domain(acme)

    assert as_reader.get(domain.get_absolute_url(), **FRAGMENT).status_code == 200
    assert as_reader.get(ADD).status_code == 403
    for url in (edit_url(domain), delete_url(domain), reverse("email:domain_check", args=[domain.pk])):
        assert as_reader.post(url, {"name": "new.example"}).status_code == 403


def test_a_get_never_starts_a_check(as_owner, acme):
    assert as_owner.get(reverse("email:domain_check", args=[make_domain(acme).pk])).status_code == 405


def test_the_details_name_each_record_with_copy_buttons_and_reasons(as_owner, acme):
    domain = make_domain(acme)
    domain.records.filter(purpose="spf").update(
        status="failed", reason="two_spf", current="v=spf1 a\nv=spf1 mx"
    )

    page = as_owner.get(domain.get_absolute_url()).content.decode()

    for text in ("验证详情", "类型", "名称", "期望值", "当前值", "状态", "未知", "失败", "验证"):
        assert text in page, text
    for row in domain.records.all():
        assert f'data-copy="{row.expected}"' in page
        assert f'data-copy="{row.name}"' in page
    assert "合并" in page


def test_the_status_address_opened_as_a_page_leads_to_the_details(as_owner, acme):
    domain = make_domain(acme)

    answer = as_owner.get(reverse("email:domain_status", args=[domain.pk]))

    assert answer["Location"] == domain.get_absolute_url()


def test_a_service_refuses_what_a_form_would_too(acme):
    with pytest.raises(RuleViolation):
        services.register_domain(tenant=acme, user=None, name="com")
