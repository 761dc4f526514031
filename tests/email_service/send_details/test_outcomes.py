"""The only writer of a message's status: fenced by the token, all in one transaction."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from email_service.send_details import outcomes
from email_service.send_details.models import Attempt, DirtyHour, Event, Message
from email_service.send_details.outcomes import OutcomeRow
from iam.models import Tenant
from tests.factories_sending import make_message, make_task

NOON = datetime(2024, 8, 16, 12, 30, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def outcome(message: Message, status: str = "delivered", **overrides: Any) -> OutcomeRow:
    fields: dict[str, Any] = {
        "message_id": message.pk,
        "lease_token": message.lease_token or 7,
        "status": status,
        "next_attempt_at": None,
        "attempt": message.attempts + 1,
        "verdict": status,
        "host": "mx.qq.com",
        "tls": "TLSv1.3 TLS_AES_256_GCM_SHA384 unverified",
        "code": 250,
        "enhanced": "2.0.0",
        "text": "OK: queued.",
        "started_at": NOON,
        "finished_at": NOON + timedelta(seconds=1),
    }
    return OutcomeRow(**{**fields, **overrides})


def test_an_end_writes_message_attempt_event_and_dirty_hour() -> None:
    message = make_message(lease_token=7, accepted_at=NOON)

    applied = outcomes.record([outcome(message)], now=NOON)

    message.refresh_from_db()
    assert applied == {message.pk}
    assert (message.status, message.attempts, message.lease_token) == ("delivered", 1, None)
    assert message.finished_at == NOON + timedelta(seconds=1)
    assert message.next_attempt_at is None
    attempt = Attempt.objects.get(message=message)
    assert (attempt.number, attempt.host, attempt.code, attempt.enhanced) == (1, "mx.qq.com", 250, "2.0.0")
    assert attempt.tls.endswith("unverified")
    event = Event.objects.get(message=message)
    assert (event.kind, event.detail, event.tenant) == ("ended", {"status": "delivered"}, message.tenant)
    dirty = DirtyHour.objects.get()
    assert (dirty.task, dirty.tenant, dirty.hour) == (
        message.task, message.tenant, datetime(2024, 8, 16, 12, tzinfo=UTC)
    )  # fmt: skip


def test_a_deferral_waits_for_its_next_attempt_and_ends_nothing() -> None:
    message = make_message(lease_token=7)
    later = NOON + timedelta(minutes=5)

    outcomes.record([outcome(message, "pending", next_attempt_at=later, code=451, in_doubt=True)], now=NOON)

    message.refresh_from_db()
    assert (message.status, message.next_attempt_at, message.finished_at) == ("pending", later, None)
    assert (message.attempts, message.lease_token, message.in_doubt) == (1, None, True)
    assert not Event.objects.exists()


def test_a_doubt_stays_with_the_message_after_a_later_attempt_succeeds() -> None:
    message = make_message(lease_token=7, in_doubt=True, attempts=1)

    outcomes.record([outcome(message)], now=NOON)

    message.refresh_from_db()
    assert (message.in_doubt, message.attempts) == (True, 2)


def test_no_reply_is_kept_without_a_code_and_odd_text_is_cut() -> None:
    message = make_message(lease_token=7)

    outcomes.record([outcome(message, "failed", code=0, text="lost\0" + "x" * 900)], now=NOON)

    attempt = Attempt.objects.get()
    assert attempt.code is None
    assert attempt.text.startswith("lostx")
    assert len(attempt.text) == 500


@pytest.mark.parametrize("held_by", [None, 8])
def test_an_outcome_under_a_stale_token_changes_nothing(held_by: int | None) -> None:
    message = make_message(lease_token=held_by)

    assert outcomes.record([outcome(message, lease_token=7)], now=NOON) == frozenset()

    message.refresh_from_db()
    assert (message.status, message.lease_token, message.attempts) == ("pending", held_by, 0)
    assert not Attempt.objects.exists()
    assert not Event.objects.exists()
    assert not DirtyHour.objects.exists()


def test_the_same_outcome_twice_is_written_once() -> None:
    message = make_message(lease_token=7)

    assert outcomes.record([outcome(message), outcome(message)], now=NOON) == {message.pk}
    assert outcomes.record([outcome(message)], now=NOON) == frozenset()

    assert Attempt.objects.count() == Event.objects.count() == 1


def test_more_outcomes_than_one_batch_are_all_written() -> None:
    task = make_task()
    rows = [make_message(task, lease_token=7, accepted_at=NOON) for _ in range(outcomes.BATCH + 3)]

    applied = outcomes.record([outcome(row) for row in rows], now=NOON)

    assert len(applied) == outcomes.BATCH + 3
    assert Message.objects.filter(task=task, status="delivered").count() == outcomes.BATCH + 3
    assert DirtyHour.objects.count() == 1


def test_cancelling_ends_what_nobody_holds_and_leaves_the_rest() -> None:
    task = make_task()
    waiting = make_message(task, accepted_at=NOON)
    claimed = make_message(task, lease_token=7)
    done = make_message(task, status="delivered")
    other = make_message()

    assert outcomes.cancel_pending(task) == 1
    assert outcomes.cancel_pending(task) == 0

    waiting.refresh_from_db()
    assert (waiting.status, waiting.end_reason, waiting.next_attempt_at) == ("cancelled", "cancelled", None)
    assert waiting.finished_at is not None
    for row, status in ((claimed, "pending"), (done, "delivered"), (other, "pending")):
        row.refresh_from_db()
        assert row.status == status
    event = Event.objects.get()
    assert (event.message, event.detail["status"]) == (waiting, "cancelled")
    assert DirtyHour.objects.get().hour == NOON.replace(minute=0)


def test_a_suppressed_address_ends_as_rejected_in_its_own_account_only(acme: Tenant, globex: Tenant) -> None:
    ours = make_message(tenant=acme, recipient="Gone@qq.com")
    claimed = make_message(tenant=acme, recipient="gone@qq.com", lease_token=7)
    theirs = make_message(tenant=globex, recipient="gone@qq.com")

    assert outcomes.reject_suppressed(acme.pk, {"gone@qq.com"}) == 1

    for row in (ours, claimed, theirs):
        row.refresh_from_db()
    assert (ours.status, ours.end_reason) == ("rejected", "suppressed")
    assert (claimed.status, theirs.status) == ("pending", "pending")

    assert outcomes.reject_suppressed(acme.pk, {"gone@qq.com"}, token=7) == 1
    claimed.refresh_from_db()
    assert (claimed.status, claimed.lease_token) == ("rejected", None)
    assert Event.objects.filter(message__tenant=acme).count() == 2


def test_giving_back_counts_no_attempt() -> None:
    first, second = make_message(lease_token=7), make_message(lease_token=7)

    assert outcomes.give_back(7, [first.pk]) == 1
    assert outcomes.give_back(7, crashed=True) == 1

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.lease_token, first.attempts, first.crashes) == (None, 0, 0)
    assert (second.lease_token, second.attempts, second.crashes) == (None, 0, 1)


def test_what_is_set_aside_fails_by_the_platforms_fault() -> None:
    message = make_message(lease_token=7)

    assert outcomes.set_aside(8, [message.pk]) == 0
    assert outcomes.set_aside(7, [message.pk]) == 1

    message.refresh_from_db()
    assert (message.status, message.end_reason, message.lease_token) == ("failed", "platform", None)


def test_the_number_of_queries_does_not_grow_with_the_batch() -> None:
    task = make_task()
    rows = [outcome(make_message(task, lease_token=7)) for _ in range(50)]

    with CaptureQueriesContext(connection) as queries:
        outcomes.record(rows, now=NOON)

    # Savepoint, lock, update, attempts, events, dirty hours, release; COPY is not counted where it is used.
    assert len(queries) <= 7
