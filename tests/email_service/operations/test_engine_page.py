"""发送引擎: what operators see, and who is an operator."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from email_service.send_details.models import Attempt, Message
from email_service.send_tasks import pulse
from email_service.send_tasks.models import Claim
from email_service.send_tasks.models_workers import Pace, Worker
from email_service.setup import services
from iam.models import Tenant
from tests.conftest import FRAGMENT, _client
from tests.factories import make_staff
from tests.factories_sending import make_message, make_task

pytestmark = pytest.mark.django_db
PAGE = "/email/engine/"


def make_held(tenant: Tenant, **overrides: Any) -> Message:
    """A message in doubt, with the attempt that left it so."""
    task = overrides.pop("task", None) or make_task(tenant, accepted_count=1, pending_count=1)
    message = make_message(task, status="held", finished_at=None, in_doubt=True, **overrides)
    now = timezone.now()
    Attempt.objects.create(
        message=message, number=1, verdict="deferred", host="mx.qq.com", text="The answer was lost.",
        in_doubt=True, started_at=now, finished_at=now,
    )  # fmt: skip
    return message


def make_attempts(message: Message, *verdicts: str, seconds: float = 1.0) -> None:
    now = timezone.now()
    for number, verdict in enumerate(verdicts, 1):
        Attempt.objects.create(
            message=message,
            number=number,
            verdict=verdict,
            started_at=now - timedelta(seconds=seconds),
            finished_at=now,
        )


def test_an_empty_platform_says_so(as_operator: Client):
    as_operator.cookies["django_language"] = "en"

    page = as_operator.get(PAGE).content.decode()

    for sentence in ("No message waits for a decision.", "Nothing waits.", "Nothing was attempted yet."):
        assert sentence in page
    assert "No worker has sent anything" in page


def test_rates_are_counted_by_outcome_and_window(as_operator: Client):
    minute = timezone.now().replace(second=0, microsecond=0)
    for back, number in ((0, 5), (1, 7), (4, 20), (59, 100), (61, 1000)):
        Pace.objects.create(minute=minute - timedelta(minutes=back), verdict="delivered", attempts=number)

    rates = {rate.verdict: rate.numbers for rate in as_operator.get(PAGE).context["rates"]}

    assert rates["delivered"] == (12, 32, 132)
    assert rates["failed"] == (0, 0, 0)


def test_queues_are_shown_by_account_and_by_destination(as_operator: Client, acme: Tenant, globex: Tenant):
    since = timezone.now() - timedelta(minutes=9)
    large = make_task(acme, pending_count=3)
    small = make_task(globex, pending_count=1)
    for recipient in ("a@qq.com", "b@qq.com"):
        make_message(large, recipient=recipient, accepted_at=since)
    make_message(large, recipient="c@163.com", lease_token=5)
    make_message(small, recipient="d@qq.com")
    make_message(make_task(globex, status="paused"), recipient="paused@late.example")

    context = as_operator.get(PAGE).context

    first = context["accounts"][0]
    assert (first.code, first.waiting, first.claimed, first.oldest) == ("acme", 3, 1, since)
    assert {row.code for row in context["accounts"]} == {"acme", "globex"}
    found = {row.name: (row.waiting, row.claimed) for row in context["destinations"].rows}
    assert found == {"qq.com": (3, 0), "163.com": (0, 1)}
    assert context["destinations"].is_whole


def test_workers_are_shown_with_their_claims_and_journals(as_operator: Client, acme: Tenant):
    now = timezone.now()
    task = make_task(acme)
    for name, age in (("busy", 1), ("stuck", 300), ("idle", 400)):
        seen = now - timedelta(seconds=age)
        Worker.objects.create(name=name, host="one", pid=7, since=seen, seen_at=seen, connections=4, untold=2)
    for token, worker, left in ((1, "busy", 50), (2, "stuck", -200), (3, "unknown", -200)):
        until = now + timedelta(seconds=left)
        Claim.objects.create(token=token, worker=worker, host="two", task=task, lease_until=until)

    lines = {line.name: line for line in as_operator.get(PAGE).context["workers"]}

    assert {name: line.is_silent for name, line in lines.items()} == {
        "busy": False, "stuck": True, "idle": False, "unknown": True,
    }  # fmt: skip
    assert (lines["busy"].claims, lines["busy"].connections, lines["busy"].untold) == (1, 4, 2)
    assert (lines["unknown"].host, lines["unknown"].pid) == ("two", None)


def test_the_slowest_destination_stands_first(as_operator: Client, acme: Tenant):
    task = make_task(acme)
    make_attempts(make_message(task, recipient="a@fast.example"), "delivered", seconds=0.1)
    make_attempts(
        make_message(task, recipient="a@slow.example"), "deferred", "throttled", "delivered", seconds=8
    )

    rows = as_operator.get(PAGE).context["slowest"]

    assert [(row.domain, row.attempts, row.deferred) for row in rows] == [
        ("slow.example", 3, 2), ("fast.example", 1, 0),
    ]  # fmt: skip
    assert rows[0].seconds == pytest.approx(8, abs=0.01)


def test_messages_in_doubt_have_three_decisions_and_a_masked_address(as_operator: Client, acme: Tenant):
    message = make_held(acme, recipient="secret.person@qq.com")

    page = as_operator.get(PAGE).content.decode()

    for decision in ("resend", "delivered", "failed"):
        assert f'href="{reverse("email:engine_decide", args=[message.pk, decision])}"' in page
    assert "***@qq.com" in page
    assert "secret.person" not in page
    assert "mx.qq.com" in page


def test_messages_in_doubt_are_paged(as_operator: Client, acme: Tenant):
    task = make_task(acme)
    made = [make_held(acme, task=task).pk for _ in range(25)]

    first = as_operator.get(PAGE)
    second = as_operator.get(f"{PAGE}?{first.context['page'].next_query}")

    shown = [doubt.message.pk for page in (first, second) for doubt in page.context["doubts"]]
    assert shown == made


def test_the_page_refreshes_itself_by_its_fragment(as_operator: Client, acme: Tenant):
    make_held(acme)

    page = as_operator.get(PAGE).content.decode()
    fragment = as_operator.get(PAGE, **FRAGMENT).content.decode()

    assert 'hx-trigger="every 5s"' in fragment
    assert fragment.lstrip().startswith('<div id="engine"')
    assert "<html" in page
    assert "<html" not in fragment


def test_the_number_of_queries_does_not_grow(
    as_operator: Client, acme: Tenant, globex: Tenant, django_assert_num_queries: Any
):
    for tenant in (acme, globex):
        task = make_task(tenant, pending_count=9)
        for _ in range(4):
            make_held(tenant, task=task)
            make_attempts(make_message(task), "delivered")
        make_message(task, lease_token=tenant.pk)
        Claim.objects.create(
            token=tenant.pk, worker=tenant.account, host="h", task=task, lease_until=timezone.now()
        )
    pulse.tick()

    # Session and user; claimed, limits, rates, accounts, destinations 2, workers 2, slowest 2, doubts 2.
    with django_assert_num_queries(14):
        as_operator.get(PAGE, **FRAGMENT)


def test_staff_with_the_right_to_look_may_not_decide(acme: Tenant):
    looker = make_staff(login="looker", is_superuser=False)
    looker.user_permissions.add(Permission.objects.get(codename="view_emailservice"))
    client, message = _client(looker), make_held(acme)

    page = client.get(PAGE)

    assert page.status_code == 200
    assert not page.context["may_decide"]
    decide = reverse("email:engine_decide", args=[message.pk, "resend"])
    assert decide not in page.content.decode()
    for path in (decide, f"{PAGE}pause/", f"{PAGE}resume/"):
        assert client.get(path).status_code == 403
        assert client.post(path, {"reason": "x"}).status_code == 403
    message.refresh_from_db()
    assert message.status == "held"


def test_reviewers_and_accounts_do_not_see_the_engine(as_owner: Client):
    reviewer = make_staff(login="reviewer", is_superuser=False)

    assert _client(reviewer).get(PAGE).status_code == 403
    assert as_owner.get(PAGE).status_code == 403


def test_operators_find_it_in_the_navigation_and_in_the_administration(as_operator: Client, as_owner: Client):
    assert f'href="{PAGE}"' in as_operator.get("/admin/").content.decode()
    assert f'href="{PAGE}"' in as_operator.get(PAGE).content.decode()
    assert f'href="{PAGE}"' not in as_owner.get("/").content.decode()


def test_a_pause_stands_above_the_engine_and_in_the_administration(as_operator: Client, as_owner: Client):
    services.pause_platform(user=None, reason="A blocklist has us")

    assert "A blocklist has us" in as_operator.get(PAGE).content.decode()
    assert "A blocklist has us" in as_operator.get("/admin/").content.decode()
    # Accounts learn that it is so, not why.
    tasks = as_owner.get("/email/tasks/").content.decode()
    assert "平台已暂停全部发送" in tasks
    assert "A blocklist has us" not in tasks
