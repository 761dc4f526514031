"""Limits as the receiving server sees them: two workers, real SMTP, real seconds, and an operator at work."""

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection, connections
from django.test import Client

from email_service.send_details.models import Message
from email_service.send_tasks import claims, dispatch
from email_service.send_tasks.models import Claim, Task
from email_service.setup.models import DestinationLimit
from iam.models import Tenant
from tests.email_service.delivery.peer import Peer, Wait
from tests.email_service.send_tasks.sending import make_sending_tenant, submit
from tests.factories_limits import limit_destination, limit_sender, limit_tenant, make_messages
from tests.factories_sending import make_task

pytestmark = pytest.mark.django_db(transaction=True)
WORKER = Path(__file__).with_name("worker.py")
SECONDS = 4.0


def task_of(tenant: Tenant, number: int, domain: str = "qq.com") -> Task:
    task = submit(tenant, f"first@{domain}")
    make_messages(task, number, domain)
    return task


@contextmanager
def second_worker(folder: Path) -> Iterator[None]:
    """Another worker process on the test's database, until the block ends."""
    where = connection.settings_dict
    url = f"sqlite:///{where['NAME']}"
    if connection.vendor == "postgresql":
        url = f"postgres://{where['USER']}@{where['HOST']}:{where['PORT']}/{where['NAME']}"
    process = subprocess.Popen(
        [sys.executable, str(WORKER), "serve"],
        env={**os.environ, "DATA_DIR": str(folder), "DATABASE_URL": url},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begin\n"
    try:
        yield
    finally:
        process.communicate("end\n", timeout=30)
    assert process.returncode == 0


def serve(seconds: float) -> None:
    """Work in this process as jobs do, for so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not dispatch.deliver_batch() and not claims.wait_for_tokens():
            time.sleep(0.05)


def received(peer: Peer) -> Counter[str]:
    return Counter(recipient.rpartition("@")[2] for recipient in peer.recipients)


@pytest.mark.parametrize("kind", ["tenant", "sender", "destination"])
def test_two_workers_together_keep_the_rate_and_others_go_on(peer: Peer, tmp_path: Path, kind: str):
    limited, free = make_sending_tenant(peer), make_sending_tenant(peer)
    task = task_of(limited, 400)
    other = task_of(free, 300, "163.com")
    {"tenant": lambda: limit_tenant(limited, 20), "sender": lambda: limit_sender(task, 20),
     "destination": lambda: limit_destination("qq.com", 20)}[kind]()  # fmt: skip

    with second_worker(tmp_path / "second"):
        serve(SECONDS)

    found = received(peer)
    # A second's worth at once, then twenty a second; the second worker needs a moment to begin and to end.
    assert 0.7 * 20 * SECONDS <= found["qq.com"] <= 20 * (SECONDS + 3)
    assert found["163.com"] == 301
    assert Message.objects.filter(task=other, status="delivered").count() == 301
    assert not Message.objects.filter(task=task, attempts__gt=1).exists()
    assert not Message.objects.filter(task=task).exclude(status__in=["pending", "delivered"]).exists()


def admin_url(model: str, pk: int | None = None) -> str:
    return f"/admin/email_service/{model}/" + (f"{pk}/change/" if pk else "add/")


@contextmanager
def serving() -> Iterator[None]:
    """Let a thread of this process work until the block ends."""
    is_over = threading.Event()

    def run() -> None:
        try:
            while not is_over.is_set():
                if not dispatch.deliver_batch() and not claims.wait_for_tokens():
                    time.sleep(0.02)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join(30)


def wait_for(condition: object, seconds: float) -> float:
    began_at = time.monotonic()
    while not condition():  # type: ignore[operator]
        assert time.monotonic() - began_at < seconds
        time.sleep(0.05)
    return time.monotonic() - began_at


def test_what_an_operator_changes_while_mail_is_sent_counts_within_ten_seconds(
    peer: Peer, as_operator: Client
):
    """Also for a batch that a worker has in hand at a slow server."""
    peer.script = lambda session, stage, argument: Wait(0.2) if stage == "dot" else None
    tenant = make_sending_tenant(peer)
    task = task_of(tenant, 1500)
    with serving():
        wait_for(lambda: len(peer.recipients) > 20, 10)
        answer = as_operator.post(
            admin_url("destinationlimit"), {"domain": "QQ.com", "messages_per_second": "1"}
        )
        assert answer.status_code == 302
        time.sleep(3)
        before = len(peer.recipients)
        time.sleep(3)
        slowed = len(peer.recipients) - before
        limit = DestinationLimit.objects.get(domain="qq.com")
        as_operator.post(
            admin_url("destinationlimit", limit.pk), {"domain": "qq.com", "messages_per_second": "500"}
        )
        before = len(peer.recipients)
        time.sleep(4)
        raised = len(peer.recipients) - before
        as_operator.post(f"{admin_url('destinationlimit', limit.pk)[:-7]}delete/", {"post": "yes"})
        peer.script = lambda session, stage, argument: None
        wait_for(lambda: len(peer.recipients) >= 1501, 20)

    assert 1 <= slowed <= 5
    assert raised > 30
    assert not DestinationLimit.objects.exists()
    task.refresh_from_db()
    assert Counter(peer.recipients).most_common(1)[0][1] == 1
    assert Message.objects.filter(task=task, status="delivered", attempts=1).count() == 1501


def test_many_workers_under_all_kinds_of_limits_never_wait_for_each_other():
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    tenants = [make_sending_tenant() for _ in range(3)]
    for tenant in tenants:
        limit_tenant(tenant, 400)
        for _ in range(2):
            task = make_task(tenant)
            for domain in ("a.example", "b.example", "c.example", "free.example"):
                make_messages(task, 300, domain)
            limit_sender(task, 300)
    for domain in ("a.example", "b.example", "c.example"):
        limit_destination(domain, 150)
    errors: list[BaseException] = []
    taken: Counter[str] = Counter()
    end = time.monotonic() + 6

    def work(name: str) -> None:
        try:
            while time.monotonic() < end:
                batch = claims.claim(worker=name, host="h")
                if batch is None:
                    claims.wait_for_tokens()
                    continue
                taken.update(message.recipient.rpartition("@")[2] for message in batch.messages)
                ids = batch.message_ids
                if batch.token % 5 == 0:
                    taken.subtract(m.recipient.rpartition("@")[2] for m in batch.messages)
                    claims.give_back(batch.token)
                else:
                    Message.objects.filter(pk__in=ids).update(
                        status="delivered", lease_token=None, next_attempt_at=None, parked_since=None
                    )
                claims.close(batch.token)
        except BaseException as error:  # a deadlock is an error of one of them
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=[f"w{number}"]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert errors == []
    assert 900 <= taken["free.example"] <= 1800
    for domain in ("a.example", "b.example", "c.example"):
        assert 150 * 4 <= taken[domain] <= 150 * 8
    assert not Claim.objects.exists()
