"""Operators set limits in the admin, and see what of them is used; accounts read why their mail waits."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from email_service.send_details.models import Message
from email_service.send_tasks import ceilings
from email_service.send_tasks.models import Meter, Task
from email_service.setup.models import DestinationLimit, EmailService, SenderLimit
from iam.models import Tenant
from tests.conftest import FRAGMENT
from tests.factories_limits import deliver, limit_destination, limit_sender, limit_tenant, make_messages, take
from tests.factories_sending import make_task

pytestmark = pytest.mark.django_db
SENDERS = "/admin/email_service/senderlimit/"
DESTINATIONS = "/admin/email_service/destinationlimit/"
WARMUP = {
    "domain": "Mail.Example",
    "messages_per_second": "2.5",
    "warmup_first": "500",
    "warmup_growth": "40",
    "warmup_from": "2026-11-25",
    "warmup_until": "",
    "warmup_most": "100000",
}


def test_a_warm_up_is_saved_under_the_name_that_dns_knows(as_operator: Client, acme: Tenant):
    domain = "Müller.Example"
    assert (
        as_operator.post(f"{SENDERS}add/", {**WARMUP, "tenant": acme.pk, "domain": domain}).status_code == 302
    )

    limit = SenderLimit.objects.get()
    assert (limit.domain, float(limit.messages_per_second or 0)) == ("xn--mller-kva.example", 2.5)
    assert limit.ceiling_on(date(2026, 11, 26)) == 700


@pytest.mark.parametrize(
    "change",
    [
        {"domain": "not a domain"},
        {"domain": "a@b.example"},
        {"messages_per_second": "0"},
        {"messages_per_second": "-1"},
        {"messages_per_second": "0.01"},
        {"messages_per_second": "100001"},
        {"messages_per_second": "NaN"},
        {"warmup_first": "0"},
        {"warmup_first": "2000000000"},
        {"warmup_growth": "1001"},
        {"warmup_growth": "-5"},
        {"warmup_from": ""},
        {"warmup_first": ""},
        {"warmup_until": "2026-11-24"},
        {"warmup_most": "499"},
        {"warmup_first": "", "warmup_from": "", "messages_per_second": ""},
    ],
)
def test_what_makes_no_sense_is_refused(as_operator: Client, acme: Tenant, change: dict[str, str]):
    answer = as_operator.post(f"{SENDERS}add/", {**WARMUP, "tenant": acme.pk, **change})

    assert answer.status_code == 200
    assert answer.context["adminform"].errors
    assert not SenderLimit.objects.exists()


def test_one_domain_of_one_account_has_one_limit(as_operator: Client, acme: Tenant, globex: Tenant):
    codes = [
        as_operator.post(f"{SENDERS}add/", {**WARMUP, "tenant": tenant.pk, "domain": domain}).status_code
        for tenant, domain in ((acme, "mail.example"), (acme, "MAIL.example"), (globex, "mail.example"))
    ]

    assert codes == [302, 200, 302]


def test_the_list_shows_todays_ceiling_and_its_use_in_few_queries(
    as_operator: Client, acme: Tenant, django_assert_num_queries: Any
):
    task = make_task(acme)
    make_messages(task, 30)
    limit_sender(task, first=12, growth=0, since=date(2020, 1, 1))
    batch = take()
    assert batch is not None
    deliver(batch)

    page = as_operator.get(SENDERS).content.decode()
    assert '<td class="field-ceiling">12</td>' in page
    assert '<td class="field-used">12</td>' in page
    for _ in range(3):
        limit_sender(make_task(acme), 5)
    with django_assert_num_queries(5):
        as_operator.get(SENDERS)


def test_a_destination_and_an_account_are_limited_in_the_admin(as_operator: Client, acme: Tenant):
    assert (
        as_operator.post(
            f"{DESTINATIONS}add/", {"domain": "QQ.com.", "messages_per_second": "20"}
        ).status_code
        == 302
    )
    assert (
        as_operator.post(f"{DESTINATIONS}add/", {"domain": "qq.com", "messages_per_second": "5"}).status_code
        == 200
    )
    service = EmailService.objects.get(tenant=acme)
    fields = {
        "transport": service.transport_id,
        "in_doubt": "resend",
        "messages_per_second": "7",
        "pause_reason": "",
    }
    url = f"/admin/email_service/emailservice/{service.pk}/change/"
    assert as_operator.post(url, fields).status_code == 302

    assert DestinationLimit.objects.get().domain == "qq.com"
    service.refresh_from_db()
    assert service.messages_per_second == 7
    standing = ceilings.read(timezone.now())
    assert standing.room(("destination", "qq.com")) == 20
    assert standing.room(("tenant", str(acme.pk))) == 7


def test_accounts_do_not_reach_the_limits(as_owner: Client):
    for url in (SENDERS, DESTINATIONS):
        assert as_owner.get(url).status_code in (302, 403, 404)


def test_the_task_says_why_it_waits(as_owner: Client, acme: Tenant):
    as_owner.cookies["django_language"] = "en"
    task = make_task(acme)
    make_messages(task, 40)
    url = task.get_absolute_url()
    assert "by the platform" not in as_owner.get(url).content.decode()
    limit_tenant(acme, 30)
    limit_sender(task, 25, first=10, growth=0, since=date(2020, 1, 1))
    limit_destination("qq.com", 2)
    ceilings.forget()
    batch = take()
    assert batch is not None
    deliver(batch)

    page = as_owner.get(url).content.decode()
    listed = as_owner.get("/email/tasks/").content.decode()

    domain = task.sender.rpartition("@")[2]
    for text in (page, listed):
        assert "Sending is limited to 30 a second by the platform." in text
        assert f"Sending from {domain} is limited to 25 a second by the platform." in text
    assert "Mails to qq.com are limited to 2 a second by the platform." in page
    # Where the day's ceiling is reached, it waits for nothing else.
    Meter.objects.filter(kind="sender").update(used=10)
    midnight = timezone.localdate() + timedelta(days=1)
    for address in (url, "/email/tasks/"):
        text = as_owner.get(address).content.decode()
        assert f"warm-up ceiling for {domain} is reached (10); sending goes on at" in text
        assert f"{midnight} 00:00:00" in text
        assert "a second by the platform" not in text
    Task.objects.update(status=Task.Status.PAUSED)
    assert "by the platform" not in as_owner.get(url).content.decode()


def test_the_list_of_tasks_asks_for_limits_once(
    as_owner: Client, acme: Tenant, django_assert_num_queries: Any
):
    limit_tenant(acme, 30)
    for _ in range(3):
        make_task(acme)
    with django_assert_num_queries(6):
        as_owner.get("/email/tasks/", **FRAGMENT)


def test_operators_see_every_limit_with_its_use(as_operator: Client, acme: Tenant):
    as_operator.cookies["django_language"] = "en"
    task = make_task(acme)
    make_messages(task, 40)
    limit_tenant(acme, 30)
    limit_sender(task, first=10, growth=0, since=date(2020, 1, 1))
    limit_destination("qq.com", 4)
    for _ in range(2):
        batch = take()
        assert batch is not None
        deliver(batch)

    answer = as_operator.get("/email/engine/")

    lines = {line.kind: line for line in answer.context["limits"].lines}
    sent = Message.objects.filter(status="delivered").count()
    assert (lines["sender"].used, lines["sender"].ceiling) == (sent, 10)
    assert lines["tenant"].account == "acme"
    assert lines["destination"].parked == Message.objects.filter(parked_since__isnull=False).count() > 0
    waiting = {row.name: row.waiting for row in answer.context["destinations"].rows}
    assert waiting == {"qq.com": 40 - sent}
    assert "/admin/email_service/destinationlimit/?q=qq.com" in answer.content.decode()
