"""演示DNS: records entered by hand, or published with one click from 验证详情."""

from pathlib import Path

import pytest
from django.test import Client

from email_service.domains import services as domain_services
from email_service.domains.models import Domain
from iam.models import Tenant, User
from koomessage.demo import services, zone
from tests.conftest import FRAGMENT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo")]


@pytest.fixture
def domain(acme: Tenant, owner: User) -> Domain:
    return domain_services.register_domain(tenant=acme, user=owner, name="shop-acme.com")


def test_a_record_entered_by_hand_is_in_the_zone(client: Client, zone_file: Path):
    answer = client.post("/demo/dns/", {"kind": "TXT", "name": "Shop.example.", "value": '"v=spf1 " "-all"'})

    assert answer.status_code == 302
    assert [(row.kind, row.name, row.value) for row in zone.load(zone_file)] == [
        ("TXT", "shop.example", "v=spf1 -all")
    ]
    assert "shop.example" in client.get("/demo/dns/").content.decode()


@pytest.mark.parametrize(("record", "kept"), [
    (("MX", "shop.example", "mx.koomessage.demo"), "10 mx.koomessage.demo"),
    (("MX", "shop.example", "20 mx.koomessage.demo."), "20 mx.koomessage.demo"),
    (("CNAME", "_dmarc.商店.example", "_dmarc.koomessage.demo"), "_dmarc.koomessage.demo"),
    (("A", "shop.example", "127.0.0.1"), "127.0.0.1"),
    (("AAAA", "shop.example", "0::1"), "::1"),
])  # fmt: skip
def test_values_are_kept_in_one_spelling(client: Client, zone_file: Path, record: tuple[str, ...], kept: str):
    client.post("/demo/dns/", dict(zip(("kind", "name", "value"), record, strict=True)))

    assert [row.value for row in zone.load(zone_file)] == [kept]


@pytest.mark.parametrize(("kind", "name", "value"), [
    ("TXT", "", "x"), ("TXT", "shop example", "x"), ("TXT", "shop.example", ""), ("A", "shop.example", "::1"),
    ("A", "shop.example", "here"), ("MX", "shop.example", "99999 mx.example"), ("MX", "shop.example", "x mx.example"),
    ("CNAME", "shop.example", "10 mx.example"), ("SOA", "shop.example", "x"), ("TXT", "a" * 300, "x"),
])  # fmt: skip
def test_what_is_no_record_is_refused_and_kept_in_the_form(
    client: Client, zone_file: Path, kind: str, name: str, value: str
):
    answer = client.post("/demo/dns/", {"kind": kind, "name": name, "value": value})

    assert answer.status_code == 422
    assert answer.context["form"]["name"].value() == name
    assert zone.load(zone_file) == []


def test_the_same_record_twice_is_refused(client: Client, zone_file: Path):
    record = {"kind": "A", "name": "shop.example", "value": "127.0.0.1"}
    client.post("/demo/dns/", record)

    assert client.post("/demo/dns/", record).status_code == 422
    assert len(zone.load(zone_file)) == 1


def test_a_record_is_deleted_after_a_question_and_the_platforms_own_never(client: Client, zone_file: Path):
    services.publish_platform()
    client.post("/demo/dns/", {"kind": "A", "name": "shop.example", "value": "127.0.0.1"})
    mine = zone.load(zone_file)[-1]
    theirs = zone.load(zone_file)[0]

    assert client.get(f"/demo/dns/delete/{mine.id}/").status_code == 200
    assert mine in zone.load(zone_file)
    client.post(f"/demo/dns/delete/{mine.id}/")
    client.post(f"/demo/dns/delete/{theirs.id}/")

    assert mine not in zone.load(zone_file)
    assert theirs in zone.load(zone_file)


def test_the_list_alone_answers_a_search(client: Client, zone_file: Path):
    services.add_record(kind="A", name="shop.example", value="127.0.0.1")
    services.add_record(kind="A", name="other.example", value="127.0.0.1")

    found = client.get("/demo/dns/", {"search": "shop"}, **FRAGMENT).content.decode()

    assert found.lstrip().startswith('<div id="record-list"')
    assert "shop.example" in found
    assert "other.example" not in found


def test_one_click_publishes_what_the_domain_expects(as_owner: Client, domain: Domain, zone_file: Path):
    answer = as_owner.post(f"/demo/dns/publish/{domain.pk}/")

    published = {(row.kind, row.name): row.value for row in zone.load(zone_file)}
    assert answer["Location"] == f"/email/domains/{domain.pk}/"
    assert len(published) == 5
    for record in domain.records.all():
        assert published[record.kind, record.name].endswith(record.expected)


def test_a_new_keys_record_is_published_too_and_an_old_keys_is_not(
    as_owner: Client, domain: Domain, zone_file: Path
):
    Domain.objects.filter(pk=domain.pk).update(status="verified")
    domain_services.start_rotation(domain, user=None)
    domain.records.filter(purpose="dkim").update(purpose="dkim_old")

    as_owner.post(f"/demo/dns/publish/{domain.pk}/")

    names = {row.name for row in zone.load(zone_file)}
    assert f"koo2._domainkey.{domain.name}" in names
    assert f"koo1._domainkey.{domain.name}" not in names


def test_who_may_not_verify_may_not_publish(as_reader: Client, domain: Domain, zone_file: Path):
    assert as_reader.post(f"/demo/dns/publish/{domain.pk}/").status_code == 403
    assert zone.load(zone_file) == []


def test_another_accounts_domain_is_not_published(as_stranger: Client, domain: Domain):
    assert as_stranger.post(f"/demo/dns/publish/{domain.pk}/").status_code == 404
