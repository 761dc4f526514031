"""Suppressions stand in the transaction of their outcome, cost little, and stop nobody."""

import threading
import uuid
from datetime import datetime
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from email_service.feedback import bounces
from email_service.feedback.models import Suppression
from email_service.send_details import outcomes
from email_service.send_details.models import Event, Message
from email_service.send_tasks.models import Task
from iam.models import Tenant
from tests.email_service.feedback.test_bounces import listed, refusal
from tests.email_service.send_details.test_outcomes import outcome
from tests.factories import make_tenant
from tests.factories_sending import make_message, make_suppression, make_task

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime.fromisoformat("2026-08-16T12:00:00+00:00")


def test_an_address_on_the_list_keeps_its_reason(acme: Tenant) -> None:
    make_suppression(acme, "gone@qq.com")
    message = make_message(make_task(acme), recipient="gone@qq.com", lease_token=7)

    bounces.record([refusal(message, 7)], now=timezone.now())

    message.refresh_from_db()
    assert (message.status, listed()) == ("failed", [("gone@qq.com", "manual")])
    assert list(message.events.values_list("kind", flat=True)) == ["ended"]


def test_an_outcome_that_comes_too_late_suppresses_nobody(acme: Tenant) -> None:
    message = make_message(make_task(acme), recipient="gone@qq.com", lease_token=8)

    assert bounces.record([refusal(message, 7)], now=NOON) == frozenset()

    assert listed() == []
    assert not Event.objects.exists()


def test_outcome_and_suppression_stand_or_fall_together(acme: Tenant, monkeypatch: Any) -> None:
    message = make_message(make_task(acme), recipient="gone@qq.com", lease_token=7)

    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("The worker died here.")

    with monkeypatch.context() as patch:
        patch.setattr(outcomes, "mark_dirty", broken)
        with pytest.raises(RuntimeError):
            bounces.record([refusal(message, 7)], now=NOON)
    message.refresh_from_db()
    assert (message.status, listed()) == ("pending", [])

    # The reply stands in the journal; whoever replays it does the same again.
    bounces.record([refusal(message, 7)], now=NOON)
    assert listed() == [("gone@qq.com", "bounce")]


def test_a_batch_without_refusals_asks_nothing_more_and_one_with_many_not_more_than_with_one(
    acme: Tenant,
) -> None:
    def queries(*rows: Any, by: Any = bounces.record) -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            by(list(rows), now=NOON)
        return len(found)

    def held(number: int) -> list[Message]:
        return [
            make_message(task, recipient=f"{uuid.uuid4().hex}@qq.com", lease_token=7) for _ in range(number)
        ]

    task = make_task(acme)
    delivered = [outcome(row, lease_token=7) for row in held(20)]
    plain = queries(*[outcome(row, lease_token=7) for row in held(20)], by=outcomes.record)
    assert queries(*delivered) == plain
    one = queries(refusal(held(1)[0], 7))
    many = queries(*[refusal(row, 7) for row in held(30)])
    assert many <= one
    assert Suppression.objects.count() == 31
    full = {"code": 552, "enhanced": "5.2.2"}
    one = queries(refusal(held(1)[0], 7, **full))
    assert queries(*[refusal(row, 7, **full) for row in held(30)]) <= one


def test_workers_that_learn_of_the_same_addresses_at_once_do_not_stop_each_other() -> None:
    """Two tasks to the same people, all of them unknown; each worker's news ends the other's mail."""
    tenant = make_tenant()
    tasks = [make_task(tenant) for _ in range(4)]
    people = [f"gone{number}@qq.com" for number in range(40)]
    for place, task in enumerate(tasks):
        for number, person in enumerate(people[:: 1 if place % 2 else -1]):
            held = (number // 10) == place
            make_message(task, recipient=person, lease_token=100 + place if held else None)
    gate, problems = threading.Barrier(len(tasks)), []

    def work(place: int, task: Task) -> None:
        rows = [
            refusal(message, 100 + place)
            for message in task.messages.filter(lease_token=100 + place).order_by("?")
        ]
        try:
            gate.wait(10)
            bounces.record(rows, now=timezone.now())
        except Exception as problem:  # whatever it is, it is the finding
            problems.append(problem)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(place, task)) for place, task in enumerate(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert problems == []
    assert Suppression.objects.count() == len({key for key, _ in listed()}) > 0
    assert not Message.objects.filter(lease_token__isnull=False).exists()
