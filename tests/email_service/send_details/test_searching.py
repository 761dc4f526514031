"""How messages are found: every way finds the same, whether matches are common or far between."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext

from email_service.send_details import addressees, finding, queries
from email_service.send_details.filters import MessageFilter
from email_service.send_details.finding import Count
from email_service.send_details.models import Message
from email_service.send_tasks.models import Task
from iam.models import Tenant
from tests.conftest import FRAGMENT
from tests.factories_sending import make_message, make_sender, make_task

pytestmark = pytest.mark.django_db
LIST, COUNT = "/email/details/", "/email/details/count/"
START = datetime(2024, 8, 16, 9, 0, tzinfo=UTC)
STATES = ("delivered", "delivered", "failed", "rejected", "delivered", "expired")
on_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="only PostgreSQL plans like this"
)


@pytest.fixture
def sent(acme: Tenant, globex: Tenant) -> list[Message]:
    """60 messages of three tasks by turns, every fourth to a firm; and a stranger's to the same addresses."""
    sender = make_sender(acme, address="shop@acme.example")
    tasks = [make_task(acme, name=f"Letter {number}", address=sender) for number in range(3)]
    theirs = make_task(globex, name="Letter 0")
    found = []
    for number in range(60):
        at = START + timedelta(seconds=number // 2)  # two share each moment
        host = "firm.cn" if number % 4 == 0 else "qq.com"
        fields = {"recipient": f"li{number}@{host}", "accepted_at": at, "status": STATES[number % 6]}
        found.append(make_message(tasks[number % 3], **fields))
        make_message(theirs, **fields)
    for tenant in (acme, globex):
        addressees.remember(tenant.pk, [message.recipient_key for message in found])
    return found


@pytest.fixture(params=["narrow", "wide"])
def window(request: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """With windows of a few rows each way of finding comes into use; with the usual ones the first is enough."""
    if request.param == "narrow":
        monkeypatch.setattr(finding, "WINDOW", 2)
        monkeypatch.setattr(finding, "FEW_TASKS", 1)
    return request.param


def walked(client: Client, **query: str) -> list[int]:
    """Follow the pages from the first to the last, and then back again."""
    pages, at = [], QueryDict(mutable=True)
    at.update({"range": "all", "size": "20", **query})
    following, back = at.urlencode(), ""
    while following:
        answer = client.get(f"{LIST}?{following}", **FRAGMENT)
        pages.append([line.message.pk for line in answer.context["lines"]])
        following, back = answer.context["page"].next_query, answer.context["page"].previous_query
    for page in pages[-2::-1]:
        answer = client.get(f"{LIST}?{back}", **FRAGMENT)
        assert [line.message.pk for line in answer.context["lines"]] == page
        back = answer.context["page"].previous_query
    return [pk for page in pages for pk in page]


def counted(tenant: Tenant, **query: str) -> Count:
    data = QueryDict(mutable=True)
    data.update({"range": "all", **query})
    return MessageFilter(data).search(Message.objects.for_tenant(tenant), tenant).count()


@pytest.mark.parametrize("sort", ["-created", "created"])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, lambda message: True),
        ({"status": "failed"}, lambda message: message.status == "failed"),
        ({"task_name": "letter 1"}, lambda message: message.task.name == "Letter 1"),
        ({"sender": "SHOP@"}, lambda message: True),
        ({"sender": "shop", "status": "rejected"}, lambda message: message.status == "rejected"),
        ({"recipient": "FIRM.c"}, lambda message: message.recipient.endswith("firm.cn")),
        ({"recipient": "li5"}, lambda message: message.recipient.startswith("li5")),
        (
            {"recipient": "firm", "task_name": "letter 0", "status": "delivered"},
            lambda message: (
                message.recipient.endswith("firm.cn")
                and message.task.name == "Letter 0"
                and message.status == "delivered"
            ),
        ),
        ({"recipient": "li7@qq.com"}, lambda message: message.recipient == "li7@qq.com"),
        ({"recipient": "nobody"}, lambda message: False),
        ({"task_name": "Letter 9"}, lambda message: False),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("window")
def test_pages_hold_each_match_once_in_order(
    as_owner: Client, sent: list[Message], query: Any, expected: Any, sort: str
) -> None:
    acme = sent[0].tenant
    wanted = [message.pk for message in sent if expected(message)]

    assert walked(as_owner, sort=sort, **query) == (wanted if sort == "created" else wanted[::-1])
    assert counted(acme, **query) == Count(len(wanted), False)


def test_a_part_of_very_many_addresses_is_walked(
    as_owner: Client, acme: Tenant, sent: list[Message], window: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "MOST_ADDRESSES", 3)
    wanted = [message.pk for message in reversed(sent) if message.recipient.endswith("firm.cn")]

    assert walked(as_owner, recipient="firm") == wanted
    assert counted(acme, recipient="firm") == Count(15, False)


def test_a_part_of_many_addresses_long_ago_is_found_by_following_them(
    as_owner: Client, acme: Tenant, sent: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, most in (("WINDOW", 2), ("MOST_ADDRESSES", 3), ("MOST_LOOKED_AT", 4)):
        monkeypatch.setattr(finding, name, most)
    wanted = [message.pk for message in reversed(sent) if message.recipient.endswith("firm.cn")]

    assert walked(as_owner, recipient="firm") == wanted
    monkeypatch.setattr(finding, "MOST_WITHOUT_OTHER_WAY", 3)
    assert walked(as_owner, recipient="firm") == wanted


def test_more_tasks_than_are_followed_are_walked(
    as_owner: Client, acme: Tenant, sent: list[Message], window: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "MOST_TASKS", 2)

    assert walked(as_owner, sender="shop") == [message.pk for message in reversed(sent)]
    assert counted(acme, sender="shop") == Count(60, False)


def test_what_still_waits_is_found_by_its_tasks(as_owner: Client, acme: Tenant, sent: list[Message]) -> None:
    waiting = make_message(make_task(acme, status=Task.Status.SENDING))
    # Cancelled meanwhile, while a worker holds it.
    held_back = make_message(make_task(acme, status=Task.Status.CANCELLED, pending_count=1))

    assert walked(as_owner, status="pending") == [held_back.pk, waiting.pk]


def test_numbers_are_exact_up_to_a_bound(
    acme: Tenant, sent: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "MOST_COUNTED", 10)

    assert counted(acme) == Count(10, True)
    assert counted(acme, status="failed") == Count(10, False)
    assert counted(acme, sender="shop") == Count(10, True)
    assert counted(acme, recipient="firm") == Count(10, True)
    assert counted(acme, recipient="li1") == Count(10, True)


def test_a_common_part_is_counted_in_so_many_rows_only(
    acme: Tenant, sent: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "MOST_ADDRESSES", 3)
    monkeypatch.setattr(finding, "MOST_LOOKED_AT", 20)

    assert counted(acme, recipient="firm") == Count(5, True)


def test_the_number_comes_after_the_page_and_without_scripts_by_a_link(
    as_owner: Client, as_newcomer: Client, sent: list[Message]
) -> None:
    page = as_owner.get(LIST, {"range": "all"}).content.decode()
    assert f'hx-get="{COUNT}?range=all"' in page
    assert f'href="{COUNT}?range=all"' in page

    part = as_owner.get(COUNT, {"range": "all", "status": "failed"}, **FRAGMENT).content.decode()
    assert part.lstrip().startswith('<span id="message-count"')
    assert "10" in part
    assert "<html" in as_owner.get(COUNT, {"range": "all"}).content.decode()
    assert as_newcomer.get(COUNT).status_code == 403


def test_counting_takes_few_queries(
    as_owner: Client, sent: list[Message], django_assert_num_queries: Any
) -> None:
    # Session, user, account, its Email service, the number.
    with django_assert_num_queries(5):
        as_owner.get(COUNT, {"range": "all"}, **FRAGMENT)


@pytest.mark.usefixtures("window")
@pytest.mark.parametrize("query", [{"recipient": "firm"}, {"sender": "shop"}])
def test_searching_takes_few_queries(
    as_owner: Client, sent: list[Message], query: Any, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(9):
        as_owner.get(LIST, {"range": "all", **query}, **FRAGMENT)


def test_wildcards_in_a_part_mean_themselves(as_owner: Client, acme: Tenant, window: str) -> None:
    task = make_task(acme)
    odd = make_message(task, recipient="a_b%c@qq.com")
    make_message(task, recipient="axbyc@qq.com")
    addressees.remember(acme.pk, ["a_b%c@qq.com", "axbyc@qq.com"])
    for number in range(3):
        make_message(task, recipient=f"later{number}@qq.com")

    assert walked(as_owner, recipient="A_B%c") == [odd.pk]
    assert walked(as_owner, recipient="a\\b") == []


def test_a_short_part_is_refused_with_what_to_do(as_owner: Client, sent: list[Message]) -> None:
    page = as_owner.get(LIST, {"recipient": "li"}, HTTP_ACCEPT_LANGUAGE="en").content.decode()

    assert "is-invalid" in page


@on_postgresql
def test_a_page_in_the_middle_of_one_moment_is_entered_by_the_index(acme: Tenant, as_owner: Client) -> None:
    """A scheduled task of a million has one accepted time; the page after its 500,000th is no walk."""
    task = make_task(acme)
    Message.objects.bulk_create(
        [
            Message(
                tenant=acme, task=task, recipient=f"u{number}@qq.com", recipient_key=f"u{number}@qq.com",
                domain="qq.com", status="delivered", accepted_at=START, finished_at=START,
            )
            for number in range(3000)
        ]
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE email_service_message")
    first = as_owner.get(LIST, {"range": "all", "size": "100"}, **FRAGMENT)
    with CaptureQueriesContext(connection) as seen:
        as_owner.get(f"{LIST}?{first.context['page'].next_query}", **FRAGMENT)
    page = next(query["sql"] for query in seen if "LIMIT 101" in query["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT TEXT) {page}")
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "ROW(" in plan.partition("Index Cond")[2].partition("\n")[0]


def test_the_neighbours_of_a_message_are_those_of_its_task(sent: list[Message]) -> None:
    of_task = sent[1::3]

    assert queries.beside(of_task[4], later=True) == of_task[5].pk
    assert queries.beside(of_task[4], later=False) == of_task[3].pk
    assert queries.beside(of_task[0], later=False) is None
    assert queries.beside(of_task[-1], later=True) is None
