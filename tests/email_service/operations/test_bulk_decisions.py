"""Many messages in doubt, decided together."""

import threading
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.db import connection, connections
from django.http import HttpResponse, QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.models import UnitEntry
from email_service.operations import doubts, services
from email_service.send_details.models import DirtyHour, Event, Message
from email_service.send_tasks import progress
from email_service.send_tasks.integrity import checks
from email_service.send_tasks.models import Task
from iam.models import AuditEntry, Tenant, User
from tests.conftest import FRAGMENT, _client
from tests.email_service.delivery.peer import Action, KeepAndCut, Peer, Session
from tests.email_service.operations.test_engine_page import make_held
from tests.email_service.send_tasks.sending import deliver_all, make_sending_tenant, submit
from tests.factories import make_staff, make_tenant
from tests.factories_sending import make_task

pytestmark = pytest.mark.django_db
LIST, DECIDE = "/email/engine/held/", "/email/engine/held/decide/"


def address(decision: str, *ids: int, **words: Any) -> str:
    query = QueryDict(mutable=True)
    query.update({"decision": decision, **{name: str(value) for name, value in words.items()}})
    query.setlist("id", [str(pk) for pk in ids])
    return f"{DECIDE}?{query.urlencode()}"


def statuses() -> dict[int, str]:
    return dict(Message.objects.order_by("pk").values_list("pk", "status"))


def said(answer: HttpResponse) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("decision", "status", "reason"),
    [("resend", "pending", ""), ("delivered", "delivered", ""), ("failed", "failed", "platform")],
)
def test_the_ticked_ones_are_asked_for_decided_and_on_record(
    as_operator: Client, acme: Tenant, decision: str, status: str, reason: str
):
    globex = make_tenant()
    task = make_task(acme)
    ticked = [make_held(acme, task=task), make_held(acme, task=task), make_held(globex)]
    other = make_held(acme, task=task)
    url = address(decision, *[message.pk for message in ticked])

    dialog = as_operator.get(url, **FRAGMENT)
    assert dialog.status_code == 200
    assert "3" in dialog.context["question"]
    assert set(statuses().values()) == {"held"}
    answer = as_operator.post(dialog.context["action_url"])

    assert (answer.status_code, answer["Location"]) == (302, LIST)
    assert "3" in said(answer)
    found = statuses()
    assert found.pop(other.pk) == "held"
    assert set(found.values()) == {status}
    for message in ticked:
        message.refresh_from_db()
        assert (message.end_reason, message.lease_token) == (reason, None)
        kinds = ["decided"] if status == "pending" else ["decided", "ended"]
        assert list(message.events.order_by("pk").values_list("kind", flat=True)) == kinds
        assert message.events.get(kind="decided").detail == {"status": status}
        assert DirtyHour.objects.filter(task=message.task_id).exists()
    entries = AuditEntry.objects.filter(action=f"kooMessage:emailSendDetail:decide:{decision}")
    assert {(entry.tenant, entry.login, entry.target, entry.detail["messages"]) for entry in entries} == {
        (acme, "operator", task.code, 2),
        (globex, "operator", ticked[2].task.code, 1),
    }


def test_all_that_match_the_filters_are_decided(as_operator: Client, acme: Tenant, globex: Tenant):
    spring, summer = make_task(acme, name="Spring sale"), make_task(acme, name="Summer sale")
    wanted = [make_held(acme, task=spring).pk for _ in range(25)]
    others = [make_held(acme, task=summer).pk, make_held(globex, task=make_task(globex, name="Spring")).pk]

    page = as_operator.get(LIST, {"account": acme.account.upper(), "task": "spring"})
    assert page.context["number"] == 25
    assert len(page.context["doubts"]) == 20
    url = address("failed", all=1, account=acme.account, task="spring", known=page.context["known"])
    as_operator.post(as_operator.get(url, **FRAGMENT).context["action_url"])

    assert {pk for pk, status in statuses().items() if status == "failed"} == set(wanted)
    assert [statuses()[pk] for pk in others] == ["held", "held"]
    by_code = as_operator.get(LIST, {"task": summer.code})
    assert [doubt.message.pk for doubt in by_code.context["doubts"]] == others[:1]


def test_what_came_into_doubt_after_the_page_is_not_decided_with_it(as_operator: Client, acme: Tenant):
    task = make_task(acme)
    first = make_held(acme, task=task)
    known = as_operator.get(LIST).context["known"]
    later = make_held(acme, task=task)

    dialog = as_operator.get(address("delivered", all=1, known=known), **FRAGMENT)
    as_operator.post(dialog.context["action_url"])

    assert statuses() == {first.pk: "delivered", later.pk: "held"}


def test_what_was_decided_meanwhile_is_left_alone_and_the_answer_says_so(as_operator: Client, acme: Tenant):
    task = make_task(acme)
    messages = [make_held(acme, task=task).pk for _ in range(3)]
    as_operator.cookies["django_language"] = "en"
    dialog = as_operator.get(address("resend", *messages), **FRAGMENT)
    as_operator.post(f"/email/engine/{messages[0]}/delivered/")

    answer = as_operator.post(dialog.context["action_url"])

    assert list(statuses().values()) == ["delivered", "pending", "pending"]
    assert "2 messages are decided." in said(answer)
    assert "1 was left alone" in said(answer)
    assert Event.objects.filter(kind="decided").count() == 3


def test_nothing_of_a_cancelled_task_is_sent_again(as_operator: Client, acme: Tenant):
    cancelled = make_held(acme, task=make_task(acme, status=Task.Status.CANCELLED))
    going = make_held(acme)
    url = address("resend", cancelled.pk, going.pk)

    assert "1" in as_operator.get(url, **FRAGMENT).context["question"]
    as_operator.post(url)
    assert statuses() == {cancelled.pk: "held", going.pk: "pending"}
    assert as_operator.get(address("resend", cancelled.pk)).status_code == 302
    as_operator.post(address("failed", cancelled.pk))
    assert statuses()[cancelled.pk] == "failed"


def test_odd_choices_decide_nothing(as_operator: Client, acme: Tenant):
    message = make_held(acme)

    assert as_operator.get(address("unsend", message.pk)).status_code == 302
    assert as_operator.post(address("unsend", message.pk)).status_code == 302
    for words in ("", "&id=x", "&id=99999999999999999999", "&id=-1", "&id=²", "&id=99999", "&asked=x"):
        url = f"{DECIDE}?decision=failed{words}"
        assert [as_operator.get(url).status_code, as_operator.post(url).status_code] == [302, 302]
    for words in ("&all=1", "&all=1&known=-1", "&all=1&known=x"):  # no attempt is known, or an odd one
        url = f"{DECIDE}?decision=failed{words}"
        assert [as_operator.get(url).status_code, as_operator.post(url).status_code] == [302, 302]
    assert statuses() == {message.pk: "held"}


def test_a_decision_is_bounded_and_the_rest_waits_for_the_next(
    as_operator: Client, acme: Tenant, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(services, "BATCH", 2)
    for module in (services, doubts):
        monkeypatch.setattr(module, "MOST_AT_ONCE", 6)
    task = make_task(acme)
    for _ in range(7):
        make_held(acme, task=task)
    page = as_operator.get(LIST)
    url = address("failed", all=1, known=page.context["known"])

    dialog = as_operator.get(url, **FRAGMENT)
    assert "6" in dialog.context["question"]
    answer = as_operator.post(dialog.context["action_url"])

    assert list(statuses().values()) == ["failed"] * 6 + ["held"]
    assert "1" in said(answer).partition("。")[2]


def test_a_decision_that_takes_too_long_answers_with_what_is_done(
    as_operator: Client, acme: Tenant, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(services, "MOST_SECONDS", 0.0)
    message = make_held(acme)
    as_operator.cookies["django_language"] = "en"

    answer = as_operator.post(address("failed", message.pk, asked=1))

    assert said(answer) == "0 messages are decided. 1 waits still; decide about it once more."
    assert statuses() == {message.pk: "held"}


def test_the_number_of_queries_does_not_grow_with_the_messages(acme: Tenant, globex: Tenant):
    operator = make_staff()

    def queries(number: int) -> int:
        for tenant in (acme, globex):
            task = make_task(tenant, accepted_count=progress.SMALL + 1)
            for _ in range(number):
                make_held(tenant, task=task)
        with CaptureQueriesContext(connection) as found:
            assert services.decide_all(doubts.held(), decision="failed", user=operator) == 2 * number
        return len(found)

    assert queries(12) == queries(2)


def test_the_list_costs_the_same_however_long_it_is(
    as_operator: Client, acme: Tenant, globex: Tenant, django_assert_num_queries: Any
):
    for tenant in (acme, globex):
        for _ in range(6):
            make_held(tenant)

    # Session and user; newest attempt, page, attempts, number.
    with django_assert_num_queries(6):
        as_operator.get(LIST, **FRAGMENT)


def test_who_may_only_look_sees_no_boxes_and_decides_nothing(acme: Tenant, as_owner: Client):
    looker = make_staff(login="looker", is_superuser=False)
    looker.user_permissions.add(Permission.objects.get(codename="view_emailservice"))
    client, message = _client(looker), make_held(acme)

    page = client.get(LIST)

    assert page.status_code == 200
    assert 'name="decision"' not in page.content.decode()
    assert client.post(address("failed", message.pk)).status_code == 403
    assert [as_owner.get(url).status_code for url in (LIST, address("failed", message.pk))] == [403, 403]
    assert statuses() == {message.pk: "held"}


@pytest.mark.django_db(transaction=True)
def test_of_decisions_at_once_each_message_gets_one():
    operator = make_staff()
    tenant = make_sending_tenant()
    tasks = [make_task(tenant) for _ in range(3)]
    for number in range(60):
        make_held(tenant, task=tasks[number % 3])
    gate = threading.Barrier(3)
    decided: dict[str, int] = {}

    def decide(decision: str) -> None:
        gate.wait(10)
        try:
            user = User.objects.get(pk=operator.pk)
            decided[decision] = services.decide_all(doubts.held(), decision=decision, user=user)
        finally:
            connections.close_all()

    people = [threading.Thread(target=decide, args=[decision]) for decision in services.DECISIONS]
    for person in people:
        person.start()
    for person in people:
        person.join(30)

    assert sum(decided.values()) == 60
    assert Event.objects.filter(kind="decided").count() == 60
    ends = {"resend": "pending", "delivered": "delivered", "failed": "failed"}
    for decision, number in decided.items():
        assert list(statuses().values()).count(ends[decision]) == number


@pytest.mark.django_db(transaction=True)
def test_lost_answers_decided_together_end_the_task(peer: Peer, as_operator: Client):
    """One is sent again, one has arrived: the receiving server and the ledger agree with the page."""
    lost: set[str] = set()

    def script(session: Session, stage: str, argument: str) -> Action:
        if stage == "dot" and "lost" in argument and argument not in lost:
            lost.add(argument)
            return KeepAndCut()
        return None

    peer.script = script
    people = ["a@qq.com", "b@qq.com", "lost1@qq.com", "lost2@qq.com"]
    task = submit(make_sending_tenant(peer, in_doubt="hold"), *people)
    deliver_all()
    first, second = [pk for pk, status in statuses().items() if status == "held"]

    as_operator.post(address("resend", first))
    as_operator.post(address("delivered", second))
    deliver_all()

    task.refresh_from_db()
    assert (task.status, task.delivered_count, task.pending_count) == (Task.Status.FINISHED, 4, 0)
    assert sorted(peer.recipients) == sorted([*people, Message.objects.get(pk=first).recipient])
    entries = UnitEntry.objects.filter(reference=task.code, kind=UnitEntry.Kind.CONSUME)
    assert sum(abs(entry.units) for entry in entries) == 4
    assert [check.problems for check in checks() if check.problems] == []
