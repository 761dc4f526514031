"""A check from the button to the badge, against a real name server."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from email_service.domains import verification
from email_service.domains.examination import examine
from email_service.domains.models import CHECK_LASTS_AT_MOST, Domain
from iam.models import AuditEntry
from tests.conftest import FRAGMENT
from tests.factories_domains import make_domain

pytestmark = pytest.mark.django_db


def records(domain: Domain) -> dict[str, tuple[str, str]]:
    return {row.purpose: (row.status, row.reason) for row in domain.records.all()}


def check(domain: Domain) -> Domain:
    verification.check_domain(domain.pk)
    domain.refresh_from_db()
    return domain


def test_the_button_verifies_a_domain_whose_records_are_published(
    as_owner, acme, zone, django_capture_on_commit_callbacks
):
    domain = make_domain(acme)
    zone.publish(domain)

    with django_capture_on_commit_callbacks(execute=True):
        answer = as_owner.post(reverse("email:domain_check", args=[domain.pk]))

    assert answer.status_code == 302
    domain.refresh_from_db()
    assert domain.is_verified
    assert domain.checking_since is None
    assert domain.verified_at is not None
    assert set(records(domain).values()) == {("ok", "")}
    assert AuditEntry.objects.filter(action="kooMessage:emailDomain:verify").count() == 1


def test_while_the_check_runs_the_page_says_so_and_asks_again(as_owner, acme):
    domain = make_domain(acme)

    answer = as_owner.post(reverse("email:domain_check", args=[domain.pk]), **FRAGMENT)

    page = answer.content.decode()
    assert "验证中" in page or "Verifying" in page
    assert "every 2s" in page
    status = as_owner.get(reverse("email:domain_status", args=[domain.pk]), **FRAGMENT)
    assert status.status_code == 200
    assert "every 3s" in as_owner.get(reverse("email:domain_list"), **FRAGMENT).content.decode()


def test_the_last_answer_stops_the_asking(as_owner, acme):
    domain = make_domain(acme)

    answer = as_owner.get(reverse("email:domain_status", args=[domain.pk]), **FRAGMENT)

    assert answer.status_code == 286
    assert "every 2s" not in answer.content.decode()
    assert "hx-trigger" not in as_owner.get(reverse("email:domain_list"), **FRAGMENT).content.decode()


def test_a_second_click_starts_nothing(as_owner, acme, django_capture_on_commit_callbacks):
    domain = make_domain(acme, checking_since=timezone.now())

    with django_capture_on_commit_callbacks() as hints:
        as_owner.post(reverse("email:domain_check", args=[domain.pk]))

    assert hints == []


def test_a_check_whose_worker_died_ends_by_itself(acme):
    domain = make_domain(acme, checking_since=timezone.now() - CHECK_LASTS_AT_MOST - timedelta(seconds=1))

    assert not domain.is_checking
    assert domain.shown_status == Domain.Status.UNVERIFIED


def test_the_mx_record_alone_may_be_missing(zone):
    domain = make_domain()
    zone.publish(domain).drop(domain.name, "MX")

    check(domain)

    assert domain.is_verified
    assert records(domain)["mx"] == ("failed", "not_found")


@pytest.mark.parametrize("purpose", ["dmarc", "tracking", "spf", "dkim"])
def test_each_other_record_is_needed(zone, purpose):
    domain = make_domain()
    row = domain.records.get(purpose=purpose)
    zone.publish(domain).drop(row.name, row.kind)

    check(domain)

    assert not domain.is_verified
    assert records(domain)[purpose] == ("failed", "not_found")


def test_a_domain_nobody_publishes_fails(zone):
    domain = check(make_domain())

    assert domain.status == Domain.Status.UNVERIFIED
    assert set(records(domain).values()) == {("failed", "not_found")}


def test_the_page_answers_at_once_however_slow_the_name_servers_are(as_owner, acme, zone, settings):
    settings.DNS_TIMEOUT_SECONDS = 8.0
    domain = make_domain(acme)
    for row in domain.records.all():
        zone.refuse(row.name, row.kind, "silence")
    started = timezone.now()

    answer = as_owner.post(reverse("email:domain_check", args=[domain.pk]), **FRAGMENT)
    status = as_owner.get(reverse("email:domain_status", args=[domain.pk]), **FRAGMENT)

    assert timezone.now() - started < timedelta(seconds=1)
    assert (answer.status_code, status.status_code) == (200, 200)
    domain.refresh_from_db()
    assert domain.shown_status == Domain.Status.CHECKING
    settings.DNS_TIMEOUT_SECONDS = 0.3
    assert check(domain).shown_status == Domain.Status.UNVERIFIED
    assert set(records(domain).values()) == {("unknown", "no_answer")}


@pytest.mark.parametrize("how", ["SERVFAIL", "REFUSED", "silence"])
def test_no_answer_is_unknown_and_does_not_unverify(zone, how):
    domain = make_domain(verified=True)
    zone.publish(domain).refuse(domain.name, "TXT", how)

    check(domain)

    assert domain.is_verified
    assert records(domain)["spf"] == ("unknown", "no_answer")
    assert domain.records.get(purpose="spf").current.startswith("v=spf1")


def test_no_answer_does_not_verify_either(zone):
    domain = make_domain()
    zone.publish(domain).refuse(domain.name, "TXT", "SERVFAIL")

    assert not check(domain).is_verified


def test_an_answer_that_takes_a_record_away_puts_the_domain_at_risk(zone):
    domain = make_domain(verified=True)
    zone.publish(domain).drop(f"tracking.{domain.name}", "CNAME")

    assert check(domain).is_at_risk


def test_silent_servers_hold_a_check_no_longer_than_its_limit(zone, settings):
    settings.DNS_TIMEOUT_SECONDS = 0.3
    domain = make_domain()
    for row in domain.records.all():
        for kind in ("CNAME", "TXT", "MX"):
            zone.refuse(row.name, kind, "silence")
    started = timezone.now()

    check(domain)

    assert timezone.now() - started < timedelta(seconds=2)
    assert {status for status, _reason in records(domain).values()} == {"unknown"}


def test_what_was_found_for_an_old_name_is_not_written(zone):
    domain = make_domain()
    findings = examine(domain.name, verification.expected_of(domain))
    old = Domain.objects.get(pk=domain.pk)
    Domain.objects.filter(pk=domain.pk).update(name="renamed.example")

    verification.write(old, findings, now=timezone.now())

    assert records(domain)["spf"] == ("unknown", "")


def test_a_domain_deleted_meanwhile_is_no_error(zone: Any):
    domain = make_domain()
    number = domain.pk
    domain.delete()

    verification.check_domain(number)

    assert zone.asked == []


def test_records_follow_the_settings(zone, settings):
    domain = make_domain()
    settings.PLATFORM_MX = "mx9.koomessage.example"

    check(domain)

    assert domain.records.get(purpose="mx").expected == "mx9.koomessage.example"


def test_the_page_shows_each_records_host_and_the_domain_that_panels_append(as_owner, acme):
    domain = make_domain(acme, name="mail.acme.com.cn")

    page = as_owner.get(reverse("email:domain_detail", args=[domain.pk]))

    hosts = [line.host for line in page.context["lines"]]
    assert hosts == ["_dmarc.mail", "tracking.mail", "mail", "mail", "koo1._domainkey.mail"]
    assert page.context["registered"] == "acme.com.cn"
    assert all(f'data-copy="{host}"' in page.content.decode() for host in hosts)
