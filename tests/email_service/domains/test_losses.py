"""A verified domain whose records are gone: at risk, told, blocked, and back."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from time_machine import travel

from email_service.domains import jobs, notices, verification
from email_service.domains.models import Domain
from email_service.send_tasks.services import submit_task
from koomessage.common.errors import RuleViolation
from tests.conftest import FRAGMENT
from tests.factories_domains import make_address, make_domain
from tests.factories_templates import make_template

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 4, 0, 0, tzinfo=UTC)  # noon in Shanghai


@pytest.fixture
def domain(acme, zone) -> Domain:
    """A verified domain of acme whose SPF record was deleted yesterday."""
    domain = make_domain(acme, name="shop.example", verified=True, checked_at=NOON - timedelta(hours=25))
    zone.publish(domain).drop("shop.example", "TXT")
    return domain


def recheck(domain: Domain) -> Domain:
    jobs.recheck_due()
    domain.refresh_from_db()
    return domain


def english(client: Any, url: str) -> str:
    client.cookies["django_language"] = "en"
    return str(client.get(url).content.decode())


def test_one_domain_that_cannot_be_judged_keeps_no_other_from_being_looked_at(
    domain, acme, zone, monkeypatch, caplog
):
    first = make_domain(acme, name="odd.example", verified=True, checked_at=NOON - timedelta(hours=99))
    write = verification.write

    def fail(checked, *args, **options):
        if checked.pk == first.pk:
            raise ValueError
        return write(checked, *args, **options)

    monkeypatch.setattr(verification, "write", fail)
    with travel(NOON, tick=False):
        assert recheck(domain).lost_since == NOON

    assert f"The re-check of the domain {first.pk} failed." in caplog.text
    caplog.clear()


def test_a_loss_warns_by_one_mail_and_on_every_page_about_sending(domain, as_owner):
    with travel(NOON, tick=False):
        recheck(domain)
        for _again in range(3):
            jobs.check_domain(domain.pk)

        domain.refresh_from_db()
        assert domain.is_verified
        assert (domain.lost_since, domain.blocks_at) == (NOON, NOON + timedelta(hours=72))
        assert [message.to for message in mail.outbox] == [[domain.tenant.email]]
        letter = mail.outbox[0]
        assert "shop.example" in letter.subject
        for text in (
            "TXT shop.example",
            "2026-03-02 12:00:00",
            "2026-03-05 12:00:00",
            domain.get_absolute_url(),
        ):
            assert text in letter.body, text
        for url in ("/", "/email/domains/", "/email/addresses/", "/email/tasks/add/"):
            page = english(as_owner, url)
            assert "DNS records of shop.example no longer pass" in page, url
            assert "2026-03-05 12:00:00" in page, url
        page = english(as_owner, domain.get_absolute_url())
        for text in (
            "At risk",
            "Records of this domain no longer pass",
            "TXT shop.example",
            "2026-03-05 12:00:00",
        ):
            assert text in page, text


def test_the_end_of_a_check_does_not_call_a_domain_at_risk_well(domain, as_owner):
    recheck(domain)
    as_owner.cookies["django_language"] = "en"

    page = as_owner.get(reverse("email:domain_status", args=[domain.pk]), **FRAGMENT).content.decode()

    assert "The check has ended: records no longer pass." in page
    assert "toast-success" not in page


def test_records_that_return_end_the_loss(domain, zone, as_owner):
    with travel(NOON, tick=False):
        recheck(domain)
    zone.publish(domain)

    with travel(NOON + timedelta(hours=2), tick=False):
        assert recheck(domain).lost_since is None
        page = english(as_owner, domain.get_absolute_url())

    assert "Verification passed" in page
    assert "no longer pass" not in page
    assert len(mail.outbox) == 1
    zone.drop("shop.example", "TXT")
    with travel(NOON + timedelta(hours=48), tick=False):
        assert recheck(domain).is_at_risk
    assert len(mail.outbox) == 2  # a new loss is told anew


def test_after_the_grace_period_new_tasks_are_refused_and_a_second_mail_tells(domain, as_owner, acme):
    with travel(NOON, tick=False):
        recheck(domain)
    with travel(NOON + timedelta(hours=71, minutes=59), tick=False):
        assert recheck(domain).is_verified
    with travel(NOON + timedelta(hours=72, minutes=5), tick=False):
        recheck(domain)
        jobs.recheck_due()

        assert domain.is_blocked
        assert domain.status == Domain.Status.UNVERIFIED
        assert len(mail.outbox) == 2
        assert mail.outbox[1].subject != mail.outbox[0].subject
        page = english(as_owner, domain.get_absolute_url())
        assert "New send tasks are blocked" in page
        assert "2026-03-02 12:00:00" in page
        assert "New send tasks from shop.example are blocked" in english(as_owner, "/email/domains/")


def test_submit_refuses_a_blocked_domain_with_a_sentence(domain, acme, as_owner):
    address = make_address(domain)
    template = make_template(acme)
    Domain.objects.filter(pk=domain.pk).update(status="unverified", lost_since=NOON, told="blocked")

    with pytest.raises(RuleViolation, match=r"verified|验证") as refusal:
        submit_task(
            tenant=acme, user=None, name="x", subject="x", template=template, address=address,
            submission_key=uuid4(), recipients=["a@qq.com"],
        )  # fmt: skip
    assert refusal.value.field == "address"
    assert address.address not in english(as_owner, "/email/tasks/add/")


def test_a_blocked_domain_whose_records_return_is_verified_by_itself(domain, zone):
    Domain.objects.filter(pk=domain.pk).update(status="unverified", lost_since=NOON, told="blocked")
    zone.publish(domain)

    with travel(NOON, tick=False):
        assert recheck(domain).is_verified

    assert (domain.lost_since, domain.told) == (None, "")


@pytest.mark.parametrize("how", ["SERVFAIL", "silence"])
def test_silence_neither_begins_nor_ends_nor_completes_a_loss(domain, zone, settings, how):
    settings.DNS_TIMEOUT_SECONDS = 0.3
    zone.publish(domain).refuse("shop.example", "TXT", how)
    with travel(NOON, tick=False):
        assert recheck(domain).lost_since is None
    Domain.objects.filter(pk=domain.pk).update(lost_since=NOON - timedelta(hours=100), checked_at=None)

    with travel(NOON, tick=False):
        assert recheck(domain).is_at_risk

    assert domain.lost_since == NOON - timedelta(hours=100)


def test_the_mail_is_told_once_even_where_its_hint_comes_twice_or_never(domain, acme):
    Domain.objects.filter(pk=domain.pk).update(lost_since=NOON, checked_at=NOON)
    with travel(NOON, tick=False):
        jobs.recheck_due()  # nothing is due, but the mail was never sent
        notices.tell(domain.pk)
        notices.tell(domain.pk)

    assert len(mail.outbox) == 1


def test_a_mail_that_could_not_be_sent_is_sent_later(domain, settings):
    Domain.objects.filter(pk=domain.pk).update(lost_since=NOON)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 1

    with pytest.raises(OSError):
        notices.tell(domain.pk)
    assert Domain.objects.untold().get() == domain

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    notices.tell(domain.pk)
    assert not Domain.objects.untold().exists()
    notices.tell(0)


def test_who_is_due():
    now = timezone.now()
    make_domain(name="new.example")
    make_domain(name="fresh.example", verified=True)
    make_domain(name="old.example", verified=True, checked_at=now - timedelta(hours=25))
    make_domain(name="lost.example", verified=True, lost_since=now, checked_at=now - timedelta(minutes=61))
    make_domain(name="seen.example", verified=True, lost_since=now, checked_at=now - timedelta(minutes=59))
    over = now - timedelta(hours=73)
    make_domain(name="over.example", verified=True, lost_since=over, checked_at=now - timedelta(minutes=6))
    make_domain(name="blocked.example", lost_since=over, checked_at=now - timedelta(hours=25))

    due = Domain.objects.due_for_recheck().values_list("name", flat=True)

    assert list(due) == ["old.example", "blocked.example", "lost.example", "over.example"]


def test_a_recheck_leaves_a_check_that_a_person_started_alone(zone):
    old = timezone.now() - timedelta(hours=25)
    domain = make_domain(verified=True, checked_at=old, checking_since=timezone.now())

    jobs.recheck_due()

    domain.refresh_from_db()
    assert domain.checked_at == old
    assert zone.asked == []


def test_a_recheck_asks_the_configured_resolvers_and_a_person_the_domains_own(monkeypatch):
    asked: list[bool] = []

    def sources_for(domain: str, *, asks_owner: bool) -> Any:
        asked.append(asks_owner)
        return verification.examine.__globals__["Sources"]((), (), 0.1)

    monkeypatch.setattr("email_service.domains.lookups.sources_for", sources_for)
    domain = make_domain(verified=True, checked_at=None)

    jobs.recheck_due()
    jobs.check_domain(domain.pk)

    assert asked == [False, True]


def test_no_more_than_the_warning_of_ones_own_losses_is_shown(domain, as_stranger):
    Domain.objects.filter(pk=domain.pk).update(lost_since=NOON)

    assert "shop.example" not in as_stranger.get("/email/domains/").content.decode()


def test_renaming_forgets_the_loss(domain, as_owner):
    Domain.objects.filter(pk=domain.pk).update(lost_since=NOON, told="at_risk")

    as_owner.post(reverse("email:domain_edit", args=[domain.pk]), {"name": "new.example"}, **FRAGMENT)

    domain.refresh_from_db()
    assert (domain.lost_since, domain.told) == (None, "")
