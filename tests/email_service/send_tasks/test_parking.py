"""Messages of a limited destination stand aside: once each, found again at once, and right in every figure."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F

from email_service.feedback import services as feedback
from email_service.send_details import outcomes
from email_service.send_details.models import Attempt, Message
from email_service.send_tasks import ceilings, claims, parking, progress, results, services, sweep
from email_service.send_tasks.models import Task
from email_service.setup.models import DestinationLimit
from iam.models import Tenant, User
from tests.factories_limits import (
    Clock,
    deliver,
    drain,
    limit_destination,
    limit_tenant,
    make_messages,
    stop_clock,
    take,
)
from tests.factories_sending import make_message, make_task

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return stop_clock(monkeypatch)


@pytest.fixture
def task(acme: Tenant, clock: Clock) -> Task:
    """A task of 60 messages at a destination that takes two a second; two went, all others are parked."""
    task = make_task(acme)
    make_messages(task, 60)
    limit_destination("qq.com", 2)
    assert drain(clock, 0.1) == 2
    assert Message.objects.filter(parked_since__isnull=False).count() == 58
    return task


@contextmanager
def counting_updates() -> Iterator[list[int]]:
    """Count the rows that statements without an answer change among the messages."""
    changed: list[int] = []

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if sql.startswith('UPDATE "email_service_message"'):
            changed.append(context["cursor"].rowcount)
        return result

    with connection.execute_wrapper(count):
        yield changed


def test_each_message_is_parked_once_and_looked_at_no_more(
    clock: Clock, acme: Tenant, monkeypatch: pytest.MonkeyPatch
):
    make_messages(make_task(acme), 5000)
    limit_destination("qq.com", 20)
    looked_at: list[int] = []
    candidates = parking.candidates

    def watched(*arguments: Any) -> list[parking.Candidate]:
        found = candidates(*arguments)
        looked_at.append(len(found))
        return found

    monkeypatch.setattr(parking, "candidates", watched)
    batches: list[claims.Batch] = []

    with counting_updates() as parked:
        drain(clock, 20, step=0.25, on=batches.append)

    sent = sum(len(batch.messages) for batch in batches)
    assert 410 <= sent <= 420
    # Some went before they were parked; nothing was written twice.
    assert 4900 < sum(parked) <= 5000
    # Meeting them once to park them, and as many again as went: what waits is never looked through.
    assert sum(looked_at) <= 5000 + sent
    assert Message.objects.filter(parked_since=None, lease_token=None).count() == 0


def test_other_destinations_of_the_same_task_go_on(clock: Clock, acme: Tenant):
    task = make_task(acme)
    make_messages(task, 1500)
    make_messages(task, 100, "163.com")
    limit_destination("qq.com", 20)

    batch = take()
    gone = []
    while batch is not None:
        gone += [message.recipient.rpartition("@")[2] for message in batch.messages]
        deliver(batch)
        batch = take()

    assert gone.count("163.com") == 100
    assert gone.count("qq.com") == 20


def test_the_oldest_go_first(task: Task, clock: Clock):
    clock.forward(seconds=10)
    first = list(Message.objects.filter(status="pending").order_by("pk").values_list("pk", flat=True)[:2])

    batches = [take(), take()]

    assert [pk for batch in batches if batch for pk in batch.message_ids] == first


@pytest.mark.parametrize("change", ["raised", "removed"])
def test_a_limit_raised_or_removed_lets_them_go_at_once(task: Task, clock: Clock, change: str):
    if change == "raised":
        limit_destination("qq.com", 400)
        clock.forward(seconds=1)
    else:
        DestinationLimit.objects.all().delete()

    assert list(claims.due_tasks(clock.now, ceilings.read(clock.now))) == [task]
    batch = take()

    assert batch is not None
    assert len(batch.messages) == 58


def test_what_was_tried_and_deferred_is_due_by_its_time_and_parked_again_then(task: Task, clock: Clock):
    clock.forward(seconds=0.6)
    batch = take()
    assert batch is not None
    (message,) = batch.messages
    results.apply(
        [outcome(batch, message.id, code=451)], accepted={message.id: message.accepted_at},
        rules=results.rules_for(None), clock=lambda: clock.now,
    )  # fmt: skip
    row = Message.objects.get(pk=message.id)
    assert (row.status, row.parked_since, row.lease_token) == ("pending", None, None)
    assert row.next_attempt_at is not None

    clock.now = row.next_attempt_at
    drain(clock, 0.1)

    row.refresh_from_db()
    assert (row.next_attempt_at, row.parked_since is None) == (None, False)


def outcome(batch: claims.Batch, message_id: int, code: int, attempt: int = 1) -> Any:
    return results.Outcome(
        message_id=message_id, claim_token=batch.token, attempt=attempt,
        verdict=results.Verdict.DEFERRED if code != 250 else results.Verdict.DELIVERED, code=code, enhanced="",
        text="", host="mx", tls="", started_at=claims.database_now(), finished_at=claims.database_now(),
    )  # fmt: skip


def test_what_was_not_begun_goes_back_to_its_place(task: Task, clock: Clock):
    clock.forward(seconds=10)
    batch = take()
    assert batch is not None

    claims.give_back(batch.token)
    claims.close(batch.token)

    clock.forward(seconds=10)
    again = take()
    assert again is not None
    assert again.message_ids == batch.message_ids


def test_a_cancelled_task_ends_with_them(task: Task, owner: User):
    services.cancel_rest(task, user=owner)

    task.refresh_from_db()
    assert (task.status, task.cancelled_count, task.pending_count) == ("cancelled", 58, 0)
    assert not Message.objects.filter(parked_since__isnull=False).exists()


def test_an_address_suppressed_meanwhile_gets_nothing(task: Task, acme: Tenant, owner: User):
    waiting = Message.objects.filter(status="pending").latest("pk")

    feedback.add_suppression(tenant=acme, user=owner, address=waiting.recipient)

    waiting.refresh_from_db()
    assert (waiting.status, waiting.end_reason, waiting.parked_since) == ("rejected", "suppressed", None)


def test_a_paused_account_sends_none_of_them(task: Task, clock: Clock, acme: Tenant):
    acme.email_service.paused = True
    acme.email_service.save()
    clock.forward(seconds=10)

    assert take() is None


def test_the_task_finishes_when_the_last_of_them_has_gone(task: Task, clock: Clock):
    drain(clock, 31, step=0.5)
    progress.refresh(task.pk)

    task.refresh_from_db()
    assert (task.status, task.delivered_count, task.pending_count) == ("finished", 60, 0)


def test_integrity_knows_them(task: Task, clock: Clock, capsys: Any):
    outcomes.mark_dirty(Message.objects.values_list("tenant", "task", "accepted_at"))
    call_command("check_integrity")
    assert "Everything adds up." in capsys.readouterr().out

    Message.objects.filter(parked_since__isnull=False).update(next_attempt_at=F("parked_since"))
    with pytest.raises(CommandError):
        call_command("check_integrity")


def test_the_life_of_a_message_counts_from_its_first_attempt(task: Task, clock: Clock, settings: Any):
    """A week at the gate is no failure: only what was tried long enough expires."""
    clock.forward(days=7)
    batch = take()
    assert batch is not None
    message = batch.messages[0]
    accepted, rules = {message.id: message.accepted_at}, results.rules_for(None)
    results.apply([outcome(batch, message.id, 451)], accepted=accepted, rules=rules, clock=lambda: clock.now)
    assert Message.objects.get(pk=message.id).status == "pending"

    clock.forward(hours=settings.MESSAGE_LIFETIME_HOURS)
    Message.objects.filter(pk=message.id).update(lease_token=batch.token)
    late = outcome(batch, message.id, 451, attempt=2)
    results.apply([late], accepted=accepted, rules=rules, clock=lambda: clock.now)

    assert Attempt.objects.filter(message=message.id).count() == 2
    assert Message.objects.get(pk=message.id).status == "expired"


def test_a_sweep_hints_at_what_only_waits_there(task: Task, clock: Clock):
    clock.forward(seconds=60)
    Message.objects.exclude(lease_token=None).update(lease_token=None)

    assert sweep.sweep().deliveries == 1


def test_a_destination_without_tokens_does_not_use_those_of_the_account(
    task: Task, clock: Clock, acme: Tenant
):
    limit_tenant(acme, 10)
    make_message(task, recipient="a@163.com")
    clock.forward(seconds=0.1)

    batch = take()

    assert batch is not None
    assert [message.recipient for message in batch.messages] == ["a@163.com"]
