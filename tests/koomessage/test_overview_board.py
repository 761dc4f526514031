"""The blocks of 总览: what needs somebody, what moves, why mail failed, how domains stand; each by its own right."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from email_service.domains.models import Domain
from email_service.send_details.models import Attempt, Message
from iam.models import Tenant
from iam.policies import READ_ONLY
from koomessage.common.htmx import STOP_POLLING
from koomessage.console import failures
from tests.factories import make_user
from tests.factories_billing import make_package
from tests.factories_domains import make_domain
from tests.factories_sending import make_message, make_report, make_task

pytestmark = pytest.mark.django_db
TASKS = "/overview/tasks/"


def refuse(task: Any, code: int, enhanced: str, text: str, status: str = "failed") -> Message:
    message = make_message(task, status=status)
    now = timezone.now()
    Attempt.objects.create(
        message=message, number=1, started_at=now, finished_at=now, verdict=status, code=code, enhanced=enhanced,
        text=text,
    )  # fmt: skip
    return message


def board(client: Client) -> Any:
    return client.get("/").context["board"]


def test_reasons_are_counted_by_cause_and_lead_to_such_mails(as_owner: Client, acme: Tenant) -> None:
    task = make_task(acme)
    for number in range(3):
        refuse(task, 550, "5.1.1", f"<reader{number}@qq.com>: User unknown")
    refuse(task, 571, "5.7.1", "Refused by policy", status="rejected")
    make_message(task, status="rejected", end_reason="suppressed")
    make_message(task, status="expired")
    make_message(task, status="delivered")
    make_message(task, status="failed", accepted_at=timezone.now() - timedelta(days=40))

    found = board(as_owner).failures

    assert found.sampled == 6 and not found.is_sample
    assert (str(found.reasons[0].label), found.reasons[0].number) == ("收件邮箱不存在。", 3)
    assert sorted((reason.number, reason.status) for reason in found.reasons[1:]) == [
        (1, "failed_all"), (1, "rejected"), (1, "rejected"),
    ]  # fmt: skip
    page = as_owner.get("/").content.decode()
    link = page[page.index("/email/details/?status=failed_all&amp;created_from=") :].partition('"')[0]
    assert len(as_owner.get(link.replace("&amp;", "&")).context["lines"]) == 4


def test_only_the_newest_failures_are_looked_at_and_the_page_says_so(
    as_owner: Client, acme: Tenant, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(failures, "SAMPLE", 3)
    monkeypatch.setattr(failures, "MOST_WORDINGS", 1)
    task = make_task(acme)
    for text in ("User unknown", "No such mailbox", "Mailbox full", "Spam"):
        refuse(task, 550, "", text)

    with django_assert_num_queries(2):
        found = failures.failures(acme, timezone.now() - timedelta(days=1))

    assert (found.sampled, found.is_sample) == (3, True)
    assert sum(reason.number for reason in found.reasons) == 3


def test_tasks_that_wait_for_somebody_are_named_with_the_reason(as_owner: Client, acme: Tenant) -> None:
    now = timezone.now()
    make_task(acme, name="Paused", status="paused", status_reason="by_hand:lin")
    make_task(acme, name="Quota", status="quota_paused")
    make_task(acme, name="Late", status="scheduled", due_at=now - timedelta(minutes=11))
    make_task(acme, name="Coming", status="scheduled", due_at=now + timedelta(hours=1))
    make_task(acme, name="Failed", status="failed")
    make_task(acme, name="Done", status="finished")
    make_task(acme, name="Moving", status="sending", accepted_count=10, delivered_count=4, pending_count=6)

    found = board(as_owner).tasks

    assert [call.task.name for call in found.calls] == ["Failed", "Late", "Quota", "Paused"]
    assert "lin" in str(found.calls[3].why)
    assert [row.task.name for row in found.moving] == ["Moving"]
    assert "4 / 10" in as_owner.get("/").content.decode()


def test_the_moving_block_is_fetched_alone_until_nothing_moves(as_owner: Client, acme: Tenant) -> None:
    task = make_task(acme, name="Moving")

    answer = as_owner.get(TASKS)
    assert answer.status_code == 200
    assert answer.content.decode().lstrip().startswith('<section class="card" id="overview-tasks"')
    assert f'hx-get="{TASKS}"' in answer.content.decode()

    task.status = "finished"
    task.save(update_fields=["status"])
    answer = as_owner.get(TASKS)
    assert answer.status_code == STOP_POLLING
    assert "hx-get" not in answer.content.decode()


def test_another_accounts_rows_stay_out(as_stranger: Client, acme: Tenant) -> None:
    task = make_task(acme, name="Secret")
    refuse(task, 550, "5.1.1", "User unknown")

    found = board(as_stranger)

    assert found.tasks.moving == [] and found.failures.sampled == 0 and found.domains == []
    assert "Secret" not in as_stranger.get(TASKS).content.decode()


def test_domains_that_need_somebody_stand_first(as_owner: Client, acme: Tenant) -> None:
    lost = timezone.now()
    make_domain(acme, name="a-fine.example", verified=True)
    make_domain(acme, name="b-new.example")
    risky, blocked = (
        make_domain(acme, name=name, verified=True) for name in ("c-risk.example", "d-gone.example")
    )
    Domain.objects.filter(pk__in=[risky.pk, blocked.pk]).update(lost_since=lost)
    Domain.objects.filter(pk=blocked.pk).update(status=Domain.Status.UNVERIFIED)

    states = [(health.domain.name[0], health.state) for health in board(as_owner).domains]

    assert states == [("d", "blocked"), ("c", "at_risk"), ("b", "unverified"), ("a", "verified")]


def test_a_package_that_ends_soon_is_marked(as_owner: Client, acme: Tenant) -> None:
    make_package(acme, expires_at=timezone.now() + timedelta(days=300))
    assert "即将到期" not in as_owner.get("/").content.decode()

    make_package(acme, expires_at=timezone.now() + timedelta(days=20))
    assert as_owner.get("/").content.decode().count("即将到期") == 1


def test_each_block_is_for_those_who_may_see_its_page(as_newcomer: Client, acme: Tenant) -> None:
    make_report(make_task(acme), timezone.now().replace(minute=0, second=0, microsecond=0), succeeded=7)
    found = board(as_newcomer)
    assert [found.glance, found.failures, found.tasks, found.domains, found.packages] == [None] * 5
    assert as_newcomer.get(TASKS).status_code == 403

    deny = {"Version": "1.1", "Statement": [{"Effect": "Deny", "Action": ["kooMessage:emailReport:*"]}]}
    client = Client()
    client.force_login(make_user(acme, policies=[READ_ONLY, deny]), backend="iam.backends.StaffBackend")
    assert board(client).glance is None
    assert board(client).tasks is not None


def test_the_guide_stands_first_until_it_is_completed(as_owner: Client, acme: Tenant) -> None:
    page = as_owner.get("/").content.decode()
    assert page.index("guide-title") < page.index("sending-title")

    task = make_task(acme)
    make_message(task, status="delivered")
    make_report(task, timezone.now().replace(minute=0, second=0, microsecond=0), succeeded=1)
    page = as_owner.get("/").content.decode()
    assert page.index("guide-title") > page.index("packages-title")
