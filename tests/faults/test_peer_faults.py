"""FAULTS B: servers that do not behave, each a script as `smtp_peer` reads it; the receiver's log is the oracle."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from billing.models import UnitEntry
from email_service.delivery.engine import Engine, Limits, Timeouts
from email_service.send_details.models import Attempt, Event, Message
from email_service.send_tasks import dispatch, jobs
from email_service.send_tasks.dispatch import station
from email_service.send_tasks.models import Task
from koomessage.console.smtp_script import JsonScript
from tests.email_service.delivery.peer import Peer
from tests.email_service.send_tasks.sending import deliver_all, make_sending_tenant, submit
from tests.faults.house import copies

pytestmark = pytest.mark.django_db(transaction=True)
TO = tuple(f"r{number}@qq.com" for number in range(6))


@pytest.fixture(autouse=True)
def _every_hint_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "hint", lambda job, *arguments: None)


@pytest.fixture
def peer(tmp_path: Path, transactional_db: None) -> Iterator[Peer]:
    with Peer(tmp_path / "received.txt") as running:
        yield running
        dispatch.shut_down(grace=1.0)


def script(peer: Peer, *rules: dict[str, Any], features: list[str] | None = None) -> None:
    found = JsonScript({"rules": list(rules), **({"features": features} if features else {})})
    peer.script, peer.features = found, found.features


def due_now() -> None:
    """Let every message's wait be over."""
    Message.objects.filter(status="pending").update(next_attempt_at=timezone.now())


def task_to(peer: Peer, *recipients: str) -> Task:
    return submit(make_sending_tenant(peer), *recipients)


def finish(task: Task, rounds: int = 4) -> None:
    """Deliver again and again, no wait being waited, until the task has ended."""
    for _ in range(rounds):
        due_now()
        deliver_all()
        # A server that refused everybody is left alone for two seconds: another worker would not know.
        dispatch.shut_down(grace=1.0)
    task.refresh_from_db()
    assert task.status == "finished"


def assert_nothing_lost(peer: Peer, *recipients: str) -> None:
    """Everybody has it; each copy beyond the first has its doubt, and the first one's Message-ID and bytes."""
    received = copies(peer)
    assert set(received) == set(recipients)
    doubts = Attempt.objects.filter(in_doubt=True).values_list("message__recipient_key", flat=True)
    assert sum(received.values()) - len(received) <= len(doubts)
    assert {key for key, count in received.items() if count > 1} <= set(doubts)
    assert len(set(peer.received)) == len(received)
    assert len(set(peer.mails)) == len(received)
    assert set(Message.objects.values_list("status", flat=True)) == {"delivered"}


@pytest.mark.parametrize(
    "rule",
    [
        {"at": "data", "do": "cut"},
        {"at": "data", "do": "cut", "after": 4},
        {"at": "data", "do": "cut", "after": 13},
        {"at": "body", "do": "cut"},
        {"at": "body", "do": "cut", "after": 400},
        {"at": "mail", "do": "cut"},
        {"at": "rcpt", "do": "cut"},
    ],
    ids=lambda rule: f"{rule['at']}-{rule.get('after', 0)}",
)
def test_f21_a_connection_lost_before_the_dot_is_a_safe_retry(peer: Peer, rule: dict[str, Any]) -> None:
    # After 354 the body and its dot are one write: where the cut meets the dot under way, doubt is the truth.
    script(peer, {**rule, "first": 4})
    task = task_to(peer, *TO)

    finish(task)

    assert copies(peer) == dict.fromkeys(TO, 1)
    if rule["at"] in ("mail", "rcpt") or (rule["at"], rule.get("after")) == ("data", None):
        assert not Attempt.objects.filter(in_doubt=True).exists()


def test_f22_lost_after_the_dot_and_not_stored_is_sent_again(peer: Peer) -> None:
    script(peer, {"at": "dot", "do": "cut", "first": 3})
    task = task_to(peer, *TO)

    finish(task)

    assert copies(peer) == dict.fromkeys(TO, 1)
    assert Attempt.objects.filter(in_doubt=True).count() == 3


@pytest.mark.parametrize("after", [0, 1, 9, 19])
def test_f23_stored_and_the_reply_lost_is_one_more_copy_with_the_same_bytes(peer: Peer, after: int) -> None:
    script(peer, {"at": "dot", "do": "keep_and_cut", "after": after, "first": 2})
    task = task_to(peer, *TO)

    finish(task)

    assert_nothing_lost(peer, *TO)
    assert sum(copies(peer).values()) == len(TO) + 2
    assert Attempt.objects.filter(in_doubt=True).count() == 2


def test_f24_a_reply_that_comes_late_but_in_time_is_waited_for_and_the_lease_kept(
    peer: Peer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LEASE_SECONDS, settings.LEASE_RENEW_SECONDS = 1.0, 0.2
    limits = Limits(timeouts=Timeouts(dot=4.0))  # ten minutes, scaled by 150
    monkeypatch.setattr(station, "Engine", partial(Engine, limits=limits))
    script(peer, {"at": "dot", "do": "delay", "seconds": 3.5})
    task = task_to(peer, "a@qq.com")

    deliver_all()

    task.refresh_from_db()
    assert (task.status, task.delivered_count) == ("finished", 1)
    assert copies(peer) == {"a@qq.com": 1}
    assert not Attempt.objects.filter(in_doubt=True).exists()


def test_f27_greylisted_first_and_accepted_after_the_wait(peer: Peer) -> None:
    now = [0.0]
    peer.script = JsonScript(
        {"rules": [{"at": "rcpt", "do": "greylist", "seconds": 300}]}, clock=lambda: now[0]
    )
    task = task_to(peer, *TO)

    deliver_all()
    waits = [
        (due - timezone.now()).total_seconds()
        for due in Message.objects.values_list("next_attempt_at", flat=True)
        if due
    ]
    assert len(waits) == len(TO) and all(270 < wait < 400 for wait in waits), "five minutes, jittered"
    assert len(set(waits)) > 1
    now[0] = 301.0
    finish(task, rounds=1)

    assert_nothing_lost(peer, *TO)
    assert set(Attempt.objects.filter(number=1).values_list("verdict", flat=True)) == {"deferred"}


def test_f28_refused_for_days_expires_once(peer: Peer) -> None:
    script(peer, {"at": "rcpt", "do": "reply", "reply": "451 4.3.0 Later"})
    task = task_to(peer, "a@qq.com")
    passed = timedelta()

    while passed < timedelta(days=5) and Message.objects.filter(status="pending").exists():
        deliver_all()
        dispatch.shut_down(grace=1.0)
        due = Message.objects.get().next_attempt_at
        if due is not None:
            step = max(due - timezone.now(), timedelta())
            passed += step
            # Time goes on: everything happened so much earlier.
            Message.objects.update(
                accepted_at=F("accepted_at") - step, next_attempt_at=F("next_attempt_at") - step
            )
            Attempt.objects.update(started_at=F("started_at") - step, finished_at=F("finished_at") - step)

    task.refresh_from_db()
    message = Message.objects.get()
    assert (message.status, task.status, task.failed_count) == ("expired", "finished", 1)
    assert timedelta(hours=40) < passed <= timedelta(hours=72)
    assert Event.objects.filter(message=message, kind="ended").count() == 1
    assert 10 < message.attempts == Attempt.objects.count() < 60
    deliver_all()
    assert Attempt.objects.count() == message.attempts


@pytest.mark.parametrize(
    ("reply", "status", "verdict", "is_charged"),
    [
        ("550 5.1.1 User unknown", "failed", "failed", True),
        ("552 5.2.2 Mailbox full", "failed", "failed", True),
        ("452 4.2.2 Mailbox full", "pending", "deferred", False),
        ("554 5.7.1 Refused by policy", "rejected", "rejected", True),
        ("550 Domain frequency limited", "pending", "throttled", False),
        ("421 4.7.0 Too many connections", "pending", "throttled", False),
    ],
)
@pytest.mark.parametrize("at", ["rcpt", "dot"])
def test_f29_what_a_server_says_decides(
    peer: Peer, *, at: str, reply: str, status: str, verdict: str, is_charged: bool
) -> None:
    script(peer, {"at": at, "recipient": "bad@*", "do": "reply", "reply": reply})
    task = task_to(peer, "bad@qq.com", "good@qq.com")

    deliver_all()

    message = Message.objects.get(recipient="bad@qq.com")
    attempt = Attempt.objects.filter(message=message).get()
    assert (message.status, attempt.verdict, attempt.code) == (status, verdict, int(reply[:3]))
    assert attempt.text in reply and not attempt.in_doubt
    due_now()
    dispatch.shut_down(grace=1.0)
    script(peer, {"at": at, "recipient": "bad@*", "do": "accept"})
    finish(task, rounds=1)
    received = {"good@qq.com": 1} if is_charged else {"good@qq.com": 1, "bad@qq.com": 1}
    assert copies(peer) == received
    assert UnitEntry.objects.filter(kind=UnitEntry.Kind.CONSUME).exists()


@pytest.mark.parametrize("at", ["banner", "mail", "dot"])
def test_f30_a_server_that_closes_gets_everything_later_and_is_left_alone(peer: Peer, at: str) -> None:
    script(peer, {"at": at, "do": "reply", "reply": "421 4.3.2 Closing for maintenance"})
    recipients = tuple(f"r{number}@qq.com" for number in range(10))
    task = task_to(peer, *recipients)

    deliver_all()

    assert set(Message.objects.values_list("status", flat=True)) == {"pending"}
    assert not Message.objects.exclude(lease_token=None).exists()
    assert peer.received == [] and peer.connections <= 12, "it is not hammered"
    assert not Attempt.objects.filter(in_doubt=True).exists()
    script(peer, {"at": "quit", "do": "accept"})
    dispatch.shut_down(grace=1.0)
    finish(task)
    assert_nothing_lost(peer, *recipients)


def test_f33_too_large_for_the_server_fails_before_any_command_with_the_reason(peer: Peer) -> None:
    script(peer, features=["PIPELINING", "SIZE 200"])
    task = task_to(peer, "a@qq.com")

    finish(task, rounds=1)

    attempt = Attempt.objects.get()
    assert Message.objects.get().status == "failed"
    assert attempt.enhanced == "5.3.4" and "200" in attempt.text
    assert not any(command.startswith(("MAIL", "DATA")) for command in peer.commands)


def test_f33_without_8bitmime_everything_sent_is_seven_bits(peer: Peer) -> None:
    script(peer, features=["PIPELINING"])
    task = submit(make_sending_tenant(peer), "a@qq.com", subject="你好，春天")

    finish(task, rounds=1)

    assert_nothing_lost(peer, "a@qq.com")
    assert peer.mails[0].isascii()


def test_f33_an_international_mailbox_needs_a_server_that_says_smtputf8(peer: Peer) -> None:
    script(peer, features=["PIPELINING", "8BITMIME"])
    refused = task_to(peer, "用户@例子.广告", "a@例子.广告")

    finish(refused, rounds=1)

    statuses = {
        key.partition("@")[0]: status for key, status in Message.objects.values_list("recipient", "status")
    }
    assert statuses == {"用户": "failed", "a": "delivered"}
    assert Attempt.objects.get(verdict="failed").enhanced == "5.6.7"
    assert [recipient for _, recipient in peer.received] == ["a@xn--fsqu00a.xn--4rr70v"]
