"""A DKIM key is replaced: two selectors, and at no moment a mail that cannot be verified."""

from datetime import timedelta
from io import StringIO
from typing import Any

import dkim as dkimpy
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from time_machine import travel

from email_service.delivery.dkim import DkimSigner
from email_service.domains import jobs, queries, services, verification
from email_service.domains.examination import examine
from email_service.domains.models import DkimKey, Domain
from iam.models import AuditEntry
from tests.conftest import FRAGMENT
from tests.factories_domains import make_domain

pytestmark = pytest.mark.django_db
MAIL = b"From: a@shop.example\r\nTo: b@qq.com\r\nSubject: Hello\r\n\r\nHello\r\n"


@pytest.fixture
def domain(acme, zone) -> Domain:
    domain = make_domain(acme, name="shop.example", verified=True)
    zone.publish(domain)
    return domain


def rotate(domain: Domain) -> DkimKey:
    return services.start_rotation(domain, user=None)


def check(domain: Domain) -> Domain:
    jobs.check_domain(domain.pk)
    domain.refresh_from_db()
    return domain


def states(domain: Domain) -> dict[str, str]:
    return dict(domain.dkim_keys.values_list("selector", "state"))


def statuses(domain: Domain) -> dict[str, tuple[str, str, str]]:
    rows = domain.records.filter(purpose__startswith="dkim").values_list(
        "purpose", "name", "status", "reason"
    )
    return {purpose: (name.split(".")[0], status, reason) for purpose, name, status, reason in rows}


def url(domain: Domain, name: str = "domain_rotate") -> str:
    return reverse(f"email:{name}", args=[domain.pk])


def english(client: Any, domain: Domain) -> str:
    client.cookies["django_language"] = "en"
    return str(client.get(domain.get_absolute_url()).content.decode())


def is_verifiable(domain: Domain, zone: Any) -> bool:
    """Sign as the engine does, and verify as a receiver does, by what is published now."""
    key = queries.signing_key(domain.pk)
    assert key is not None
    signed = DkimSigner(domain.name, key.selector, key.private_key.encode()).sign(MAIL)

    def published(name: bytes, timeout: int = 5) -> bytes:
        found = zone.records.get((name.decode().rstrip("."), "TXT"), [])
        return b"".join(part for item in found for part in item.data)

    return bool(dkimpy.verify(signed, dnsfunc=published))


def test_the_new_key_signs_once_its_record_is_found_and_no_moment_before(as_owner, domain, zone):
    question = as_owner.get(url(domain), **FRAGMENT).content.decode()
    assert "轮换 DKIM 密钥" in question
    assert not DkimKey.objects.filter(state="next").exists()
    assert is_verifiable(domain, zone)

    as_owner.post(url(domain))
    assert states(domain) == {"koo1": "signing", "koo2": "next"}
    assert is_verifiable(domain, zone)
    page = english(as_owner, domain)
    for text in ("New key", "Not yet signing", "koo2._domainkey.shop.example", "Cancel the rotation"):
        assert text in page, text

    check(domain)
    assert domain.is_verified
    assert domain.lost_since is None
    assert states(domain) == {"koo1": "signing", "koo2": "next"}
    assert statuses(domain)["dkim_next"] == ("koo2", "failed", "not_found")
    assert is_verifiable(domain, zone)

    zone.publish(domain)
    check(domain)
    assert states(domain) == {"koo1": "retiring", "koo2": "signing"}
    assert statuses(domain) == {"dkim": ("koo2", "ok", ""), "dkim_old": ("koo1", "ok", "")}
    assert domain.is_verified
    assert is_verifiable(domain, zone)
    until = DkimKey.objects.get(state="retiring").keep_until
    assert timedelta(days=6, hours=23) < until - timezone.now() <= timedelta(days=7)
    page = english(as_owner, domain)
    assert "Keep until <time" in page
    assert f"{until.astimezone(timezone.get_current_timezone()):%Y-%m-%d %H:%M:%S}</time>, for mails" in page


def test_the_old_key_is_deleted_after_its_time_and_its_record_may_go(as_owner, domain, zone):
    rotate(domain)
    zone.publish(domain)
    check(domain)

    with travel(timezone.now() + timedelta(days=7, minutes=1)):
        jobs.recheck_due()
    assert states(domain) == {"koo2": "signing"}
    page = english(as_owner, domain)
    assert "May be removed" in page
    assert "Rotate the DKIM key" in page

    zone.drop("koo1._domainkey.shop.example", "TXT")
    check(domain)
    assert list(statuses(domain)) == ["dkim"]
    assert domain.is_verified

    assert rotate(domain).selector == "koo1"


def test_a_record_removed_early_is_said_and_harms_nothing_else(domain, zone):
    rotate(domain)
    zone.publish(domain)
    check(domain)

    zone.drop("koo1._domainkey.shop.example", "TXT")
    check(domain)

    assert statuses(domain)["dkim_old"] == ("koo1", "failed", "dkim_old_gone")
    assert (domain.is_verified, domain.lost_since) == (True, None)


def test_the_old_record_replaced_by_the_new_one_is_no_loss(domain, zone):
    rotate(domain)
    zone.publish(domain).drop("koo1._domainkey.shop.example", "TXT")

    check(domain)

    assert statuses(domain) == {"dkim": ("koo2", "ok", ""), "dkim_old": ("koo1", "failed", "dkim_old_gone")}
    assert (domain.is_verified, domain.lost_since) == (True, None)
    assert is_verifiable(domain, zone)


def test_a_new_record_with_another_value_does_not_sign(domain, zone):
    key = rotate(domain)
    zone.add("koo2._domainkey.shop.example", "TXT", ["v=DKIM1; k=rsa; p=", key.public_key[:200]])

    check(domain)

    assert statuses(domain)["dkim_next"] == ("koo2", "failed", "dkim_differs")
    assert states(domain)["koo1"] == "signing"


@pytest.mark.parametrize("how", ["SERVFAIL", "silence"])
def test_silence_changes_no_key(domain, zone, settings, how):
    settings.DNS_TIMEOUT_SECONDS = 0.3
    rotate(domain)
    zone.refuse("koo2._domainkey.shop.example", "TXT", how)

    check(domain)

    assert states(domain) == {"koo1": "signing", "koo2": "next"}
    assert domain.is_verified


def test_a_second_rotation_is_refused_with_a_sentence(as_owner, domain, zone):
    as_owner.cookies["django_language"] = "en"
    as_owner.post(url(domain))
    answer = as_owner.post(url(domain), **FRAGMENT)
    assert answer.status_code == 422
    assert "A new key is waiting for its record." in answer.content.decode()

    zone.publish(domain)
    check(domain)
    answer = as_owner.post(url(domain), **FRAGMENT)
    assert answer.status_code == 422
    assert "still kept for mails under way" in answer.content.decode()
    assert DkimKey.objects.filter(domain=domain).count() == 2


def test_an_unverified_domain_keeps_its_only_key(as_owner, acme):
    domain = make_domain(acme)

    assert as_owner.post(url(domain), **FRAGMENT).status_code == 422
    assert states(domain) == {"koo1": "signing"}
    assert "轮换" not in as_owner.get(domain.get_absolute_url()).content.decode()


def test_a_waiting_key_can_be_cancelled_and_a_signing_one_not(as_owner, domain, zone):
    cancel = url(domain, "domain_rotation_cancel")
    rotate(domain)
    assert "取消轮换" in as_owner.get(cancel, **FRAGMENT).content.decode()

    as_owner.post(cancel)
    assert states(domain) == {"koo1": "signing"}
    assert list(statuses(domain)) == ["dkim"]
    assert as_owner.post(cancel, **FRAGMENT).status_code == 422
    steps = AuditEntry.objects.filter(target="shop.example").order_by("pk").values_list("detail", flat=True)
    assert [step["dkim_rotation"] for step in steps] == ["start", "cancel"]


def test_a_reader_and_a_stranger_rotate_nothing(as_reader, as_stranger, domain):
    for name in ("domain_rotate", "domain_rotation_cancel"):
        assert as_reader.post(url(domain, name)).status_code == 403
        assert as_stranger.post(url(domain, name)).status_code == 404
    assert url(domain) not in as_reader.get(domain.get_absolute_url()).content.decode()
    assert states(domain) == {"koo1": "signing"}


def test_renaming_drops_all_keys(as_owner, domain):
    rotate(domain)

    as_owner.post(reverse("email:domain_edit", args=[domain.pk]), {"name": "new.example"})

    assert states(domain) == {"koo1": "signing"}
    assert domain.records.count() == 5


def test_a_check_that_began_before_the_switch_changes_nothing(domain, zone):
    rotate(domain)
    zone.publish(domain)
    slow = examine(domain.name, verification.records_of(domain))
    check(domain)
    zone.drop("koo1._domainkey.shop.example", "TXT")
    stale = [finding for finding in slow if finding.record.purpose != "dkim"]

    verification.write(domain, slow, now=timezone.now())
    verification.write(domain, stale, now=timezone.now())

    assert states(domain) == {"koo1": "retiring", "koo2": "signing"}
    assert statuses(domain)["dkim"] == ("koo2", "ok", "")


def test_a_waiting_key_is_looked_up_every_hour(domain, zone):
    rotate(domain)
    zone.publish(domain)
    Domain.objects.filter(pk=domain.pk).update(checked_at=timezone.now() - timedelta(minutes=61))

    jobs.recheck_due()

    assert states(domain)["koo2"] == "signing"


@pytest.mark.parametrize("state", ["signing", "next"])
def test_the_database_keeps_one_key_of_each_kind(domain, state):
    rotate(domain)

    with pytest.raises(IntegrityError), transaction.atomic():
        DkimKey.objects.create(domain=domain, selector="koo9", private_key="x", public_key="x", state=state)


def command(*arguments: str) -> tuple[str, str, int]:
    out, err, status = StringIO(), StringIO(), 0
    try:
        call_command("rotate_dkim", *arguments, stdout=out, stderr=err)
    except SystemExit as end:
        status = int(str(end.code))
    return out.getvalue(), err.getvalue(), status


def test_the_command_rotates_named_domains_and_says_what_to_publish(domain):
    out, _err, status = command("Shop.example")

    assert status == 0
    assert out.startswith("shop.example (acme): publish TXT koo2._domainkey.shop.example v=DKIM1; k=rsa; p=")
    assert command("shop.example")[2] == 1


def test_the_command_rotates_old_keys_once(domain, acme):
    make_domain(acme, name="young.example", verified=True)
    DkimKey.objects.filter(domain=domain).update(created_at=timezone.now() - timedelta(days=91))

    assert command("--all-older-than", "90")[0].count("\n") == 1
    assert command("--all-older-than", "90") == ("", "", 0)


@pytest.mark.parametrize("arguments", [[], ["a.example", "--all-older-than", "1"], ["gone.example"], ["com"]])
def test_the_command_refuses_what_cannot_be_meant(domain, arguments):
    with pytest.raises(CommandError):
        command(*arguments)
