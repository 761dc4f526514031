"""One name, two accounts: who holds it, and when the other gets it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from email_service.domains import jobs, verification
from email_service.domains.examination import Finding
from email_service.domains.models import DkimKey, Domain
from email_service.domains.records import Judgement, Result
from email_service.domains.services import delete_domain
from tests.factories_domains import make_domain

pytestmark = pytest.mark.django_db
NAME = "contested.example"
EARLIER = timedelta(hours=2)


@pytest.fixture
def held(globex) -> Domain:
    """The name as globex has verified it."""
    return make_domain(globex, name=NAME, verified=True, checked_at=timezone.now() - EARLIER)


@pytest.fixture
def claimed(acme) -> Domain:
    return make_domain(acme, name=NAME)


def check(domain: Domain) -> Domain:
    jobs.check_domain(domain.pk)
    domain.refresh_from_db()
    return domain


def english(client: Any, domain: Domain) -> str:
    client.cookies["django_language"] = "en"
    return str(client.get(domain.get_absolute_url()).content.decode())


def test_who_proves_a_held_name_is_told_why_and_the_holder_is_looked_at(
    as_owner, as_stranger, held, claimed, zone
):
    zone.publish(claimed)  # in place of what the holder had published

    check(claimed)
    held.refresh_from_db()

    assert claimed.status == Domain.Status.UNVERIFIED
    assert claimed.claimed_at is not None
    assert held.is_at_risk
    page = english(as_owner, claimed)
    assert "another account holds this name" in page
    assert "the name is freed at" in page
    assert "globex" not in page.lower()
    assert "Records of this domain no longer pass" in english(as_stranger, held)
    assert [message.to for message in mail.outbox] == [[held.tenant.email]]


def test_a_holder_whose_records_stand_keeps_the_name(as_owner, held, claimed, zone):
    zone.publish(held)
    Domain.objects.filter(pk=claimed.pk).update(token=held.token)
    for row in held.records.all():
        claimed.records.filter(purpose=row.purpose).update(expected=row.expected)
    DkimKey.objects.filter(domain=claimed).update(public_key=held.dkim_keys.get().public_key)

    check(claimed)
    held.refresh_from_db()

    assert (claimed.is_verified, held.is_verified, held.lost_since) == (False, True, None)
    assert "or when its own records have failed for 72 hours" in english(as_owner, claimed)


def test_the_holder_is_not_looked_at_again_and_again(held, claimed, zone):
    zone.publish(claimed)
    check(claimed)
    asked = len(zone.asked)

    outcome = verification.check_domain(claimed.pk)

    assert outcome.holder_id is None
    assert len(zone.asked) < 2 * asked


def test_after_the_holders_grace_period_the_claimants_next_check_verifies(held, claimed, zone):
    zone.publish(claimed)
    check(claimed)
    over = timezone.now() - timedelta(hours=73)
    Domain.objects.filter(pk=held.pk).update(lost_since=over, checked_at=timezone.now() - EARLIER)

    jobs.recheck_due()
    held.refresh_from_db()
    assert held.is_blocked

    assert check(claimed).is_verified
    assert claimed.claimed_at is None


def test_a_claim_on_a_name_that_was_freed_is_checked_by_itself(held, claimed, zone):
    zone.publish(claimed)
    check(claimed)
    delete_domain(held, user=None)
    Domain.objects.filter(pk=claimed.pk).update(checked_at=timezone.now() - timedelta(minutes=6))

    jobs.recheck_due()

    claimed.refresh_from_db()
    assert claimed.is_verified


def test_the_first_holders_records_prove_nothing_for_the_second(as_owner, as_stranger, held, claimed, zone):
    zone.publish(held)
    as_stranger.post(reverse("email:domain_delete", args=[held.pk]))
    assert not Domain.objects.filter(pk=held.pk).exists()

    check(claimed)

    assert not claimed.is_verified
    assert claimed.records.get(purpose="tracking").reason == "differs"
    zone.drop(f"tracking.{NAME}", "CNAME").publish(claimed)
    assert check(claimed).is_verified


def test_a_claim_is_taken_back_by_an_answer_and_not_by_silence(held, claimed, zone):
    zone.publish(claimed)
    check(claimed)

    zone.refuse(NAME, "TXT", "SERVFAIL")
    assert check(claimed).claimed_at is not None

    zone.refusals.clear()
    zone.drop(NAME, "TXT")
    assert check(claimed).claimed_at is None


def test_other_accounts_are_not_mentioned_to_somebody_who_proved_nothing(as_owner, held, claimed, zone):
    check(claimed)

    assert "another account" not in english(as_owner, claimed)


def test_a_holder_that_returns_too_late_claims_in_its_turn(held, claimed, zone):
    Domain.objects.filter(pk=held.pk).update(
        status="unverified", lost_since=timezone.now() - timedelta(hours=80)
    )
    Domain.objects.filter(pk=claimed.pk).update(status="verified", checked_at=timezone.now())
    zone.publish(held)

    check(held)

    assert not held.is_verified
    assert held.claimed_at is not None


@pytest.mark.django_db(transaction=True)
def test_of_two_that_prove_a_name_at_once_one_holds_it():
    rivals = [make_domain(name=NAME), make_domain(name=NAME)]
    start = Barrier(2)

    def prove(domain: Domain) -> None:
        findings = [
            Finding(record, Judgement(Result.OK, record.value)) for record in verification.expected_of(domain)
        ]
        start.wait(10)
        try:
            verification.write(domain, findings, now=timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(prove, rivals))

    for domain in rivals:
        domain.refresh_from_db()
    assert sorted(domain.status for domain in rivals) == ["unverified", "verified"]
    assert [domain.claimed_at is not None for domain in rivals] == [
        not domain.is_verified for domain in rivals
    ]
