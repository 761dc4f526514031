"""What goes wrong between the dot and the database, and what becomes of the messages."""

import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connections
from django.utils import timezone

from billing.models import UnitEntry
from email_service.send_details import outcomes
from email_service.send_details.models import Attempt, Message
from email_service.send_tasks import claims, dispatch, progress, restored, results, services, sweep, watch
from email_service.send_tasks.models import Claim, Task
from email_service.setup.models import EmailService
from koomessage.common.errors import RuleViolation
from tests.email_service.delivery.peer import Action, Cut, KeepAndCut, Peer, Say, Session, Wait
from tests.email_service.send_tasks.sending import deliver_all, make_sending_tenant, set_policy, submit
from tests.factories_sending import make_suppression

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_deferred_message_waits_and_is_then_delivered(peer: Peer) -> None:
    peer.script = lambda session, stage, argument: Say("451 4.7.1 Greylisted") if stage == "rcpt" else None
    task = submit(make_sending_tenant(peer), "a@qq.com")

    deliver_all()

    message = Message.objects.get()
    assert message.status == "pending"
    assert message.next_attempt_at is not None
    assert message.next_attempt_at > timezone.now() + timedelta(minutes=4)
    peer.script = lambda session, stage, argument: None
    Message.objects.update(next_attempt_at=timezone.now())
    deliver_all()
    task.refresh_from_db()
    assert (task.status, task.delivered_count) == ("finished", 1)
    assert list(Attempt.objects.values_list("number", "verdict")) == [(1, "deferred"), (2, "delivered")]


def test_a_message_deferred_beyond_its_lifetime_expires_once(peer: Peer, settings: Any) -> None:
    peer.script = lambda session, stage, argument: Say("451 4.3.0 Later") if stage == "rcpt" else None
    settings.MESSAGE_LIFETIME_HOURS = 0.001
    task = submit(make_sending_tenant(peer), "a@qq.com")

    deliver_all()

    task.refresh_from_db()
    assert Message.objects.get().status == "expired"
    assert (task.status, task.failed_count) == ("finished", 1)


@pytest.mark.parametrize(("policy", "status"), [("resend", "pending"), ("hold", "held")])
def test_a_lost_reply_leaves_the_message_in_doubt(peer: Peer, policy: str, status: str) -> None:
    peer.script = lambda session, stage, argument: KeepAndCut() if stage == "dot" else None
    tenant = make_sending_tenant(peer)
    set_policy(tenant, policy)
    submit(tenant, "a@qq.com")

    deliver_all()

    message = Message.objects.get()
    assert (message.status, message.in_doubt) == (status, True)
    assert Attempt.objects.get().in_doubt
    if policy == "resend":
        peer.script = lambda session, stage, argument: None
        Message.objects.update(next_attempt_at=timezone.now())
        deliver_all()
        ids = [message_id for message_id, _ in peer.received]
        assert len(ids) == 2 and len(set(ids)) == 1, "the second copy has the first one's Message-ID"
        assert peer.mails[0] == peer.mails[1]


def test_a_connection_lost_before_the_dot_is_no_doubt(peer: Peer) -> None:
    peer.script = lambda session, stage, argument: Cut() if stage == "data" else None
    submit(make_sending_tenant(peer), "a@qq.com")

    deliver_all()

    assert not Message.objects.get().in_doubt
    assert Message.objects.get().status == "pending"


def test_a_result_with_a_stale_token_changes_nothing(peer: Peer) -> None:
    task = submit(make_sending_tenant(peer), "a@qq.com")
    batch = claims.claim(worker="slow", host="here")
    assert batch is not None
    outcomes.give_back(batch.token)
    again = claims.claim(worker="fast", host="here")
    assert again is not None and again.token > batch.token
    late = results.doubtful_of(again.token, timezone.now())[0]
    stale = type(late)(
        **{**{name: getattr(late, name) for name in late.__slots__}, "claim_token": batch.token}
    )

    results.apply_recovered((), [stale], now=timezone.now())

    assert Message.objects.get().lease_token == again.token
    assert not Attempt.objects.exists()
    assert task.pk == again.task.pk


def test_claims_of_a_host_that_fell_silent_are_in_doubt(peer: Peer, settings: Any) -> None:
    settings.HOST_SILENT_SECONDS = 1.0
    submit(make_sending_tenant(peer), "a@qq.com")
    claims.claim(worker="elsewhere", host="gone")
    Claim.objects.update(lease_until=timezone.now() - timedelta(seconds=2))

    sweep.sweep()

    message = Message.objects.get()
    assert (message.status, message.lease_token, message.in_doubt) == ("pending", None, True)
    assert not Claim.objects.exists()


def test_results_that_cannot_be_written_stop_sending_until_they_are(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(make_sending_tenant(peer), "a@qq.com")
    monkeypatch.setattr(
        results, "record", lambda *arguments, **named: (_ for _ in ()).throw(DatabaseError("full"))
    )
    for _ in range(2):
        with pytest.raises(DatabaseError):
            dispatch.deliver_batch()
    assert peer.recipients == ["a@qq.com"]
    monkeypatch.undo()

    deliver_all()

    assert Message.objects.get().status == "delivered"
    assert peer.recipients == ["a@qq.com"], "not sent again"


def test_an_address_suppressed_after_submit_gets_no_mail_and_costs_nothing(peer: Peer) -> None:
    tenant = make_sending_tenant(peer)
    task = submit(tenant, "a@qq.com", "b@qq.com")
    make_suppression(tenant, "a@qq.com")

    deliver_all()

    assert peer.recipients == ["b@qq.com"]
    assert dict(Message.objects.values_list("recipient", "status")) == {
        "a@qq.com": "rejected",
        "b@qq.com": "delivered",
    }
    task.refresh_from_db()
    assert (task.status, task.rejected_count) == ("finished", 1)
    consumed = UnitEntry.objects.filter(reference=task.code, kind=UnitEntry.Kind.CONSUME)
    assert sum(abs(entry.units) for entry in consumed) == 1


def test_a_task_paused_while_a_batch_is_under_way_stops_within_a_second(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "LOOK_EVERY", 0.05)
    begun = threading.Event()

    def script(session: Session, stage: str, argument: str) -> Action:
        if stage == "dot":
            begun.set()
        return Wait(0.3) if stage == "mail" else None

    peer.script = script
    task = submit(make_sending_tenant(peer), *[f"r{number}@qq.com" for number in range(10)])

    def pause() -> None:
        begun.wait(10)
        progress.pause(task.pk, "by_hand:owner")
        connections.close_all()

    person = threading.Thread(target=pause)
    person.start()
    deliver_all()
    person.join()

    task.refresh_from_db()
    assert task.status == "paused"
    assert 0 < len(peer.recipients) < 10
    assert Message.objects.filter(status="pending", lease_token=None).count() == 10 - len(peer.recipients)
    peer.script = lambda session, stage, argument: None
    Task.objects.update(status="sending")
    deliver_all()
    assert peer.recipients == sorted(f"r{number}@qq.com" for number in range(10))


def test_a_paused_account_sends_nothing(peer: Peer) -> None:
    tenant = make_sending_tenant(peer)
    submit(tenant, "a@qq.com")
    EmailService.objects.update(paused=True)

    assert not dispatch.deliver_batch()
    assert Message.objects.get().lease_token is None


def test_a_batch_whose_lease_is_over_is_not_sent(
    peer: Peer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(make_sending_tenant(peer), "a@qq.com")
    monkeypatch.setattr(watch.Guard, "has_lease", property(lambda guard: False))

    dispatch.deliver_batch()

    assert peer.recipients == []
    assert (Message.objects.get().status, Message.objects.get().attempts) == ("pending", 0)


def test_the_least_recently_served_account_goes_first(peer: Peer) -> None:
    busy, quiet = make_sending_tenant(peer), make_sending_tenant(peer)
    large = submit(busy, *[f"r{number}@qq.com" for number in range(4)])
    first = claims.claim(worker="w", host="h", size=2)
    submit(busy, "later@qq.com")
    small = submit(quiet, "small@qq.com")

    turns = [claims.claim(worker="w", host="h", size=2) for _ in range(3)]

    assert first is not None and first.task == large
    assert turns[0] is not None and turns[0].task == small


def test_a_message_over_which_workers_died_three_times_is_set_aside(peer: Peer) -> None:
    task = submit(make_sending_tenant(peer), "poison@qq.com", "good@qq.com")
    Message.objects.filter(recipient="poison@qq.com").update(crashes=3)

    deliver_all()

    assert peer.recipients == ["good@qq.com"]
    poison = Message.objects.get(recipient="poison@qq.com")
    assert (poison.status, poison.end_reason) == ("failed", "platform")
    task.refresh_from_db()
    assert task.status == "finished"


def test_a_task_whose_domain_lost_its_key_pauses_with_a_reason(peer: Peer) -> None:
    task = submit(make_sending_tenant(peer), "a@qq.com")
    task.domain.dkim_keys.all().delete()

    deliver_all()

    task.refresh_from_db()
    assert (task.status, task.status_reason) == ("paused", "mail")
    assert Message.objects.get().lease_token is None


def test_a_restored_database_sends_nothing(peer: Peer, settings: Any, tmp_path: Path) -> None:
    submit(make_sending_tenant(peer), "a@qq.com")
    settings.JOURNAL_DIR.mkdir(parents=True)
    (settings.JOURNAL_DIR / "high-water").write_text("999")

    with pytest.raises(restored.DatabaseIsBehind):
        dispatch.deliver_batch()
    assert peer.recipients == []

    call_command("resume_dispatch", "--after-restore")
    deliver_all()
    assert peer.recipients == ["a@qq.com"]


def wait_until(moment: datetime) -> None:
    time.sleep(max(0.0, (moment - timezone.now()).total_seconds()) + 0.002)


def test_cancelling_and_starting_at_once_never_leaves_half_of_each(peer: Peer) -> None:
    tenant = make_sending_tenant(peer)
    for _ in range(5):
        due = timezone.now() + timedelta(milliseconds=400)
        task = submit(tenant, "a@qq.com", "b@qq.com", send_type="scheduled", due_at=due)
        before = len(peer.received)
        refused: list[bool] = []

        def cancel(task: Task = task, refused: list[bool] = refused, due: datetime = due) -> None:
            wait_until(due)
            try:
                services.cancel_task(task, user=None)
            except RuleViolation:
                refused.append(True)
            connections.close_all()

        person = threading.Thread(target=cancel)
        person.start()
        wait_until(due)
        sweep.start_due()
        deliver_all()
        person.join()
        deliver_all()
        task.refresh_from_db()
        sent = len(peer.received) - before
        assert (task.status, sent) == (("finished", 2) if refused else ("cancelled", 0))
