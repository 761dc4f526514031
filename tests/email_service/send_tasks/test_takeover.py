"""What one worker leaves behind and another takes over, and who waits for whom."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.utils import timezone

from email_service.delivery.engine import Journal
from email_service.delivery.envelopes import Claim as Claimed
from email_service.send_details.models import Message
from email_service.send_tasks import claims, dispatch, progress, restored, results, sweep, watch
from email_service.send_tasks.models import Claim, ClaimCounter, Task
from tests.email_service.delivery.peer import Peer
from tests.email_service.send_tasks.sending import deliver_all, make_sending_tenant, submit

pytestmark = pytest.mark.django_db(transaction=True)


def refuse(*arguments: object, **named: object) -> None:
    raise DatabaseError("full")


def test_results_one_worker_could_not_write_are_written_by_whoever_sweeps_next(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = submit(make_sending_tenant(peer), "a@qq.com", "b@qq.com")
    with monkeypatch.context() as patch:
        patch.setattr(results, "record", refuse)
        with pytest.raises(DatabaseError):
            dispatch.deliver_batch()

    sweep.sweep()

    task.refresh_from_db()
    assert (task.status, task.delivered_count) == ("finished", 2)
    assert not Message.objects.filter(in_doubt=True).exists()
    assert peer.recipients == ["a@qq.com", "b@qq.com"], "each once"


def test_a_claim_whose_answer_was_lost_is_given_back(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    submit(make_sending_tenant(peer), "a@qq.com")
    claim = claims.claim

    def lost(**named: Any) -> None:
        claim(**named)
        raise DatabaseError("The connection was lost.")

    with monkeypatch.context() as patch:
        patch.setattr(claims, "claim", lost)
        with pytest.raises(DatabaseError):
            dispatch.deliver_batch()
    assert Claim.objects.exists()

    deliver_all()

    message = Message.objects.get()
    assert (message.status, message.in_doubt, message.attempts) == ("delivered", False, 1)


def test_a_takeover_that_failed_can_be_tried_again(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    submit(make_sending_tenant(peer), "a@qq.com")
    with monkeypatch.context() as patch:
        patch.setattr(results, "record", refuse)
        for _ in range(3):
            with pytest.raises(DatabaseError):
                dispatch.deliver_batch()

    dispatch.recover()

    assert Message.objects.get().status == "delivered"
    assert Message.objects.get().crashes == 0


def test_a_journal_that_resists_does_not_keep_other_tasks_from_their_start(
    peer: Peer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    due = timezone.now() + timedelta(hours=1)
    task = submit(make_sending_tenant(peer), "a@qq.com", send_type="scheduled", due_at=due)
    monkeypatch.setattr(dispatch, "recover", refuse)
    Task.objects.update(due_at=timezone.now())

    sweep.sweep()

    task.refresh_from_db()
    assert task.status == "sending"
    assert "cannot be taken over" in caplog.text
    caplog.clear()


def test_a_database_restored_under_a_running_worker_is_noticed(peer: Peer) -> None:
    tenant = make_sending_tenant(peer)
    submit(tenant, "a@qq.com")
    deliver_all()
    submit(tenant, "b@qq.com")
    ClaimCounter.objects.update(value=0)
    connection.close()

    for _ in range(3):
        with pytest.raises(restored.DatabaseIsBehind):
            dispatch.deliver_batch()

    assert peer.recipients == ["a@qq.com"]
    dispatch.resume_after_restore()
    deliver_all()
    assert peer.recipients == ["a@qq.com", "b@qq.com"]


def test_a_restored_database_is_noticed_by_a_worker_that_claimed_less(peer: Peer, settings: Any) -> None:
    tenant = make_sending_tenant(peer)
    submit(tenant, "a@qq.com")
    deliver_all()
    other = Journal.open(settings.JOURNAL_DIR, "other")
    other.claimed(Claimed(1000, (1,)))
    submit(tenant, "b@qq.com")
    connection.close()

    with pytest.raises(restored.DatabaseIsBehind):
        dispatch.deliver_batch()

    assert peer.recipients == ["a@qq.com"]
    other.close()
    sweep.sweep()
    assert other.path.exists(), "what the journals know is kept for the operator"


def holding(lock: Callable[[], object]) -> tuple[threading.Thread, threading.Event]:
    """Run `lock` in a transaction of another connection that lasts until the event is set."""
    held, release = threading.Event(), threading.Event()

    def run() -> None:
        with transaction.atomic():
            lock()
            held.set()
            release.wait(10)
        connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    assert held.wait(10)
    return thread, release


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_a_task_that_is_being_counted_is_waited_for_and_not_taken_for_done(peer: Peer) -> None:
    task = submit(make_sending_tenant(peer), "a@qq.com")
    thread, release = holding(lambda: progress.refresh(task.pk))
    threading.Timer(0.3, release.set).start()

    batch = claims.claim(worker="w", host="h")
    thread.join()

    assert batch is not None and batch.task == task


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_a_claim_does_not_wait_for_rows_that_only_refer_to_the_task(peer: Peer) -> None:
    task = submit(make_sending_tenant(peer), "a@qq.com")

    def refer() -> None:
        Claim.objects.create(token=10**6, worker="x", host="x", task=task, lease_until=timezone.now())
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    thread, release = holding(refer)
    began = time.monotonic()
    batch = claims.claim(worker="w", host="h")
    waited = time.monotonic() - began
    release.set()
    thread.join()

    assert batch is not None
    assert waited < 5


def test_a_task_that_waits_behind_a_busy_worker_is_hinted_at(peer: Peer, settings: Any) -> None:
    busy = submit(make_sending_tenant(peer), "slow@qq.com")
    claims.claim(worker="w", host="h")
    assert sweep.sweep().deliveries == 0
    submit(make_sending_tenant(peer), "held-up@qq.com")
    long_ago = timezone.now() - timedelta(seconds=3 * settings.SWEEP_SECONDS)
    Task.objects.exclude(pk=busy.pk).update(due_at=long_ago)
    Message.objects.filter(recipient="held-up@qq.com").update(next_attempt_at=long_ago)

    assert sweep.sweep().deliveries == 1


def test_a_worker_that_stood_still_believes_nothing_it_saw_before(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(make_sending_tenant(peer), "a@qq.com")
    monkeypatch.setattr(watch, "BELIEVED_FOR", -1.0)

    dispatch.deliver_batch()

    assert peer.recipients == []
    assert (Message.objects.get().status, Message.objects.get().attempts) == ("pending", 0)
