"""What accounts are told by mail, each once: ends of packages, what is used up, arrears."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from billing import jobs, notices, services, services_money, settlement
from billing.models import Account, Notice
from iam.models import Tenant, User
from koomessage.common.errors import RuleViolation
from tests.factories_billing import give_money, make_package, make_tiers, use_units

EIGHT = datetime(2030, 9, 12, 0, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PAGE = "billing:alert_edit"


@pytest.fixture
def payer(acme: Tenant) -> Iterator[Tenant]:
    make_tiers((0, "0.1000"))
    Tenant.objects.filter(pk=acme.pk).update(pay_as_you_go=True, email="acme@example.com")
    acme.refresh_from_db()
    with time_machine.travel(EIGHT, tick=False):
        yield acme


def told(at: datetime, mailoutbox: list[Any]) -> list[str]:
    """Run what the clock runs, twice, and return the kinds of the mails sent."""
    known = set(Notice.objects.values_list("pk", flat=True))
    before = len(mailoutbox)
    with time_machine.travel(at, tick=False):
        jobs.send_notices()
        jobs.send_notices()
    new = list(Notice.objects.exclude(pk__in=known).order_by("pk").values_list("kind", flat=True))
    assert len(mailoutbox) - before == len(new)
    return new


def test_the_end_of_a_package_is_told_30_7_and_1_days_ahead(payer: Tenant, mailoutbox: list[Any]):
    make_package(payer, units=1_000, days=40, name="大促包")
    heard = [day for day in range(42) if told(EIGHT + day * DAY, mailoutbox)]

    assert heard == [10, 33, 39]
    assert mailoutbox[0].to == ["acme@example.com"]
    assert "大促包" in mailoutbox[0].body and "1,000" in mailoutbox[0].body
    assert reverse("billing:package_list") in mailoutbox[0].body


def test_a_used_up_or_short_package_tells_only_what_matters(payer: Tenant, mailoutbox: list[Any]):
    make_package(payer, units=1_000, days=0.5)
    gone = make_package(payer, units=10, days=20)
    use_units(payer, 10, at=EIGHT)
    gone.refresh_from_db()

    assert told(EIGHT + HOUR, mailoutbox) == ["expiry", "expiry"]
    assert told(EIGHT + 20 * DAY - HOUR, mailoutbox) == ["expiry"]


def test_a_share_used_is_told_once_a_package(payer: Tenant, mailoutbox: list[Any]):
    make_package(payer, units=100, days=300)
    use_units(payer, 79, at=EIGHT)
    assert told(EIGHT + HOUR, mailoutbox) == []

    services.reserve_units(tenant=payer, reference="task", units=1)
    assert told(EIGHT + 2 * HOUR, mailoutbox) == ["share"]
    use_units(payer, 10, at=EIGHT + 3 * HOUR)
    assert told(EIGHT + 4 * HOUR, mailoutbox) == []
    assert "80%" in mailoutbox[0].body


def test_few_remaining_mails_are_told_once_until_a_package_is_added(
    payer: Tenant, owner: User, mailoutbox: list[Any]
):
    make_package(payer, units=100, days=300)
    services_money.set_alerts(tenant=payer, user=owner, percent=None, remaining=20)
    use_units(payer, 79, at=EIGHT)
    assert told(EIGHT + HOUR, mailoutbox) == []

    use_units(payer, 1, at=EIGHT + HOUR)
    assert told(EIGHT + 2 * HOUR, mailoutbox) == ["remaining"]
    make_package(payer, units=50, days=300)
    assert told(EIGHT + 3 * HOUR, mailoutbox) == []
    use_units(payer, 60, at=EIGHT + 4 * HOUR)
    assert told(EIGHT + 5 * HOUR, mailoutbox) == ["remaining"]


def test_arrears_are_told_once_each_time_they_begin(payer: Tenant, mailoutbox: list[Any]):
    for day in range(2):
        use_units(payer, 10, at=EIGHT + day * DAY)
        with time_machine.travel(EIGHT + day * DAY + HOUR, tick=False):
            settlement.settle_usage()
        assert told(EIGHT + day * DAY + 2 * HOUR, mailoutbox) == ["arrears"]
        give_money(payer, "1.00")

    assert "-¥1.00" in mailoutbox[0].body and "2030-09-12 09:00:00" in mailoutbox[0].body


def test_a_mail_that_cannot_be_sent_is_tried_again(
    payer: Tenant, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
):
    def away(*_words: Any, **_more: Any) -> None:
        raise OSError("the server is away")

    make_package(payer, units=10, days=5)
    with monkeypatch.context() as patch:
        patch.setattr("iam.notices.send_mail", away)
        assert notices.tell_due() == 0
    assert not Notice.objects.exists()

    assert notices.tell_due() == 1


def test_telling_takes_few_queries_however_many_packages(payer: Tenant, django_assert_max_num_queries: Any):
    for _ in range(20):
        make_package(payer, units=10, days=5)
    notices.tell_due()

    with django_assert_max_num_queries(8):
        assert notices.tell_due() == 0


def test_the_command_tells_and_says_what_ended(payer: Tenant, capsys: pytest.CaptureFixture):
    make_package(payer, units=10, days=5)
    make_package(payer, units=7, days=-1)

    call_command("expire_packages")

    assert capsys.readouterr().out == "Notices sent: 1.\nPackages ended: 1, mails unused in them: 7.\n"


def test_alerts_are_set_on_their_page(payer: Tenant, as_owner: Client):
    assert 'value="80"' in as_owner.get(reverse(PAGE)).content.decode()

    answer = as_owner.post(reverse(PAGE), {"percent": "", "remaining": "5000"})

    assert answer.status_code == 302
    account = Account.objects.get(tenant=payer)
    assert (account.alert_percent, account.alert_remaining) == (None, 5000)


@pytest.mark.parametrize(
    ("percent", "remaining"), [("0", ""), ("101", ""), ("x", ""), ("", "0"), ("", "1e18")]
)
def test_odd_alerts_are_refused(payer: Tenant, as_owner: Client, percent: str, remaining: str):
    assert as_owner.post(reverse(PAGE), {"percent": percent, "remaining": remaining}).status_code == 422
    assert not Account.objects.filter(tenant=payer).exclude(alert_percent=80).exists()


@pytest.mark.parametrize(("percent", "remaining"), [(0, None), (101, None), (None, 0), (None, 10**18)])
def test_the_service_refuses_odd_alerts_itself(payer: Tenant, owner: User, percent: Any, remaining: Any):
    with pytest.raises(RuleViolation):
        services_money.set_alerts(tenant=payer, user=owner, percent=percent, remaining=remaining)


def test_only_who_may_change_packages_sets_alerts(payer: Tenant, as_reader: Client):
    assert as_reader.get(reverse(PAGE)).status_code == 403
    assert as_reader.post(reverse(PAGE), {"percent": "5"}).status_code == 403
    assert reverse(PAGE) not in as_reader.get(reverse("billing:package_list")).content.decode()
