"""统计报表 of some tasks only: what fits, nothing of another account's, and the shorter of two ways to the sum."""

import io
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone
from python_calamine import CalamineWorkbook

from email_service.reports import jobs
from email_service.reports.periods import PRESETS
from email_service.send_tasks.models import Task
from iam.models import Tenant
from iam.policies import READ_ONLY
from tests.conftest import FRAGMENT
from tests.factories import make_user
from tests.factories_sending import make_message, make_report, make_sender, make_task, make_version

pytestmark = pytest.mark.django_db
REPORT, EXPORT = "/email/reports/", "/email/reports/export/"
SHANGHAI = ZoneInfo("Asia/Shanghai")


def total_of(client: Client, **query: Any) -> Any:
    response = client.get(REPORT, {"kind": "day", **query}, **FRAGMENT)
    assert response.status_code == 200
    return response.context["table"].total[1]


@pytest.fixture
def noon() -> datetime:
    return timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(days=2)


@pytest.fixture
def tasks(acme: Tenant, noon: datetime) -> list[Task]:
    """Three tasks: of 1, 2 and 4 mails; the first two share a sender, the last two a template."""
    shared, own = make_sender(acme), make_sender(acme)
    version, other = make_version(acme, title="Spring sale"), make_version(acme, title="Welcome")
    made = [
        make_task(acme, name="Alpha", address=shared, template_version=other),
        make_task(acme, name="Beta", address=shared, template_version=version),
        make_task(acme, name="Gamma", address=own, template_version=version),
    ]
    for task, number in zip(made, (1, 2, 4), strict=True):
        make_report(task, noon, succeeded=number)
        make_report(task, noon - timedelta(hours=30), failed=10 * number)
    return made


def test_each_filter_counts_its_tasks_and_several_must_all_fit(
    as_owner: Client, tasks: list[Task], noon: datetime
) -> None:
    alpha, beta, gamma = tasks

    assert total_of(as_owner) == 77
    assert total_of(as_owner, task=alpha.code) == 11
    assert total_of(as_owner, task=alpha.code.lower()) == 11
    assert total_of(as_owner, task="eta") == 22, "a part of a name"
    assert total_of(as_owner, sender=alpha.sender) == 33
    assert total_of(as_owner, domain=gamma.sender.partition("@")[2]) == 44
    assert total_of(as_owner, domain=f"https://{gamma.sender.partition('@')[2].upper()}/") == 44
    assert total_of(as_owner, template=beta.template_code) == 66
    assert total_of(as_owner, template="spring") == 66
    assert total_of(as_owner, template=beta.template_code, sender=beta.sender) == 22
    assert total_of(as_owner, task=alpha.code, sender=gamma.sender) == 0


def test_what_most_tasks_fit_is_the_total_less_the_others(as_owner: Client, tasks: list[Task]) -> None:
    """Two of three tasks: taken off the total; all of them: the total itself."""
    assert total_of(as_owner, task="a") == 77
    assert total_of(as_owner, template="Spring") == 66
    rows = as_owner.get(REPORT, {"kind": "day", "template": "Spring"}).context["table"].newest
    assert [row[1:6] for row in rows] == [(6, 6, 0, 0, 0), (60, 0, 60, 0, 0)]


def test_both_ways_give_the_same_hours_whatever_is_asked(as_owner: Client, tasks: list[Task]) -> None:
    whole = as_owner.get(REPORT, {"kind": "hour", "first": "", "task": "a"}).context["table"].rows
    assert whole == as_owner.get(REPORT, {"kind": "hour"}).context["table"].rows


def test_another_accounts_task_is_never_counted(
    as_stranger: Client, tasks: list[Task], globex: Tenant, noon: datetime
) -> None:
    make_report(make_task(globex), noon, succeeded=5)
    alpha = tasks[0]

    for name, value in {
        "task": alpha.code, "sender": alpha.sender, "template": alpha.template_code,
        "domain": alpha.sender.partition("@")[2],
    }.items():  # fmt: skip
        answer = as_stranger.get(REPORT, {"kind": "day", name: value})
        assert answer.context["table"].rows == []
        assert "report-reset" in answer.content.decode()
    page = as_stranger.get(REPORT).content.decode()
    assert alpha.code not in page and alpha.sender not in page
    assert total_of(as_stranger) == 5


def test_an_odd_domain_is_refused_and_kept(as_owner: Client, tasks: list[Task]) -> None:
    answer = as_owner.get(REPORT, {"kind": "day", "domain": "not a domain"})

    assert answer.status_code == 422
    assert 'value="not a domain"' in answer.content.decode()


def test_the_page_proposes_what_the_account_has(as_owner: Client, tasks: list[Task]) -> None:
    page = as_owner.get(REPORT).content.decode()

    assert f'<option value="{tasks[0].code}">Alpha</option>' in page
    assert f'<option value="{tasks[0].sender}">' in page
    assert f'<option value="{tasks[1].template_code}">Spring sale</option>' in page
    assert "<datalist" not in as_owner.get(REPORT, **FRAGMENT).content.decode()


def test_presets_tabs_and_export_keep_type_and_filters(as_owner: Client, tasks: list[Task]) -> None:
    alpha = tasks[0]
    form = as_owner.get(REPORT, {"kind": "day", "sender": alpha.sender, "hide": "danger,rate,odd"}).context[
        "form"
    ]

    today = timezone.now().astimezone(SHANGHAI).date()
    queries = dict(zip(PRESETS, (parse_qs(choice.query) for choice in form.presets), strict=True))
    for query in queries.values():
        assert query["kind"] == ["day"] and query["sender"] == [alpha.sender]
        assert query["hide"] == ["danger,rate"]
        assert as_owner.get(REPORT, {name: values[0] for name, values in query.items()}).status_code == 200
    assert queries["yesterday"]["first"] == queries["yesterday"]["last"] == [str(today - timedelta(days=1))]
    assert queries["week"]["first"] == [str(today - timedelta(days=6))]
    assert [choice.label for choice in form.presets if choice.is_current] == [PRESETS["thirty"]]
    assert [parse_qs(choice.query)["sender"] for choice in form.tabs] == [[alpha.sender]] * 2


def test_the_export_holds_what_is_shown(as_owner: Client, tasks: list[Task]) -> None:
    page = as_owner.get(REPORT, {"kind": "day", "task": tasks[1].code}).content.decode()
    link = page[page.index(EXPORT) :].partition('"')[0].replace("&amp;", "&")

    content = b"".join(as_owner.get(link).streaming_content)

    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert [row[1] for row in rows[1:]] == [20, 2, 22]


def test_reception_counts_the_tasks_asked_for(as_owner: Client, tasks: list[Task], noon: datetime) -> None:
    for task in tasks[:2]:
        message = make_message(task, accepted_at=noon, status="delivered")
        message.events.create(tenant=task.tenant, kind="ended", detail={"status": "delivered"}, at=noon)

    assert total_of(as_owner, tab="reception") == 2
    assert total_of(as_owner, tab="reception", task=tasks[0].code) == 1
    assert total_of(as_owner, tab="reception", task=tasks[2].code) == 0


def test_the_page_says_when_its_figures_are_from(as_owner: Client, acme: Tenant) -> None:
    assert as_owner.get(REPORT).context["refreshed_at"] is None

    jobs.refresh_reports()

    at = as_owner.get(REPORT).context["refreshed_at"]
    assert abs(timezone.now() - at) < timedelta(minutes=1)


def test_who_may_not_see_details_gets_figures_without_links(
    as_owner: Client, acme: Tenant, tasks: list[Task]
) -> None:
    deny = {"Version": "1.1", "Statement": [{"Effect": "Deny", "Action": ["kooMessage:emailSendDetail:*"]}]}
    client = Client()
    client.force_login(make_user(acme, policies=[READ_ONLY, deny]), backend="iam.backends.StaffBackend")

    link = 'class="figure-link" href="/email/details/?'
    assert link in as_owner.get(REPORT, {"kind": "day"}).content.decode()
    assert link not in client.get(REPORT, {"kind": "day"}).content.decode()
