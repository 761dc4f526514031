"""A daily ceiling that grows: exact however many workers claim, by the platform's days, and nobody's failure."""

import threading
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from email_service.send_details.models import Message
from email_service.send_tasks import ceilings, claims, sweep
from email_service.send_tasks.models import Meter, Task
from email_service.send_tasks.models_workers import Heartbeat
from email_service.setup.models import SenderLimit
from iam.models import Tenant
from tests.email_service.delivery.peer import Peer
from tests.email_service.send_tasks.sending import deliver_all, make_sending_tenant, submit
from tests.factories_limits import Clock, deliver, drain, limit_sender, make_messages, stop_clock, take
from tests.factories_sending import make_task

pytestmark = pytest.mark.django_db
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2027, 3, 1, 12, tzinfo=SHANGHAI)
FIRST = NOON.date()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return stop_clock(monkeypatch, NOON)


@pytest.mark.parametrize(
    ("terms", "day", "ceiling"),
    [
        ({}, -1, None),
        ({}, 0, 100),
        ({}, 1, 150),
        ({}, 2, 225),
        ({}, 3, 337),
        ({"warmup_growth": 0}, 400, 100),
        ({"warmup_growth": 1000}, 4000, 1_000_000_000),
        ({"warmup_most": 200}, 1, 150),
        ({"warmup_most": 200}, 2, 200),
        ({"warmup_most": 200}, 900, 200),
        ({"warmup_until": FIRST + timedelta(days=2)}, 2, 225),
        ({"warmup_until": FIRST + timedelta(days=2)}, 3, None),
        ({"warmup_first": None}, 2, None),
    ],
)
def test_the_ceiling_grows_day_by_day(terms: dict[str, object], day: int, ceiling: int | None):
    fields = {"warmup_first": 100, "warmup_growth": 50, "warmup_from": FIRST, **terms}

    assert SenderLimit(**fields).ceiling_on(FIRST + timedelta(days=day)) == ceiling


def test_what_is_over_the_ceiling_waits_for_midnight(clock: Clock, acme: Tenant):
    task, other = make_task(acme), make_task(acme)
    make_messages(task, 800)
    make_messages(other, 30)
    limit_sender(task, first=100, growth=50, since=FIRST)
    sent = {}
    for hours in (0, 11.9, 0.2, 23.7, 0.2, 24):  # noon, before midnight, after it, and so on
        clock.forward(hours=hours)
        drain(clock, 0.1)
        sent[clock.now] = Message.objects.filter(task=task, status="delivered").count()

    assert list(sent.values()) == [100, 100, 250, 250, 475, 800]
    assert Message.objects.filter(task=other, status="delivered").count() == 30
    assert not Message.objects.filter(attempts__gt=0).exists()


def test_the_platforms_day_counts_and_not_the_readers(clock: Clock, acme: Tenant, settings: object):
    task = make_task(acme)
    make_messages(task, 100)
    limit_sender(task, first=10, growth=0, since=FIRST)
    clock.now = datetime(2027, 3, 1, 23, 59, tzinfo=SHANGHAI)
    with timezone.override(ZoneInfo("America/New_York")):
        assert drain(clock, 0.1) == 10
        clock.forward(minutes=2)
        assert drain(clock, 0.1) == 10


def test_what_no_server_saw_is_counted_no_more(clock: Clock, acme: Tenant):
    task = make_task(acme)
    make_messages(task, 100)
    limit_sender(task, first=40, growth=0, since=FIRST)
    batch = take()
    assert batch is not None
    kept, returned = batch.message_ids[:25], batch.message_ids[25:]

    claims.give_back(batch.token, returned)
    Message.objects.filter(pk__in=kept).update(status="delivered", lease_token=None, next_attempt_at=None)
    claims.close(batch.token)

    assert Meter.objects.get(kind="sender").used == 25
    assert drain(clock, 0.1) == 15


def test_what_yesterday_was_taken_and_today_given_back_is_yesterdays(clock: Clock, acme: Tenant):
    task = make_task(acme)
    make_messages(task, 100)
    limit_sender(task, first=40, growth=0, since=FIRST)
    clock.now = datetime(2027, 3, 1, 23, 59, tzinfo=SHANGHAI)
    old = take()
    clock.forward(minutes=2)
    new = take()
    assert old is not None and new is not None

    claims.give_back(old.token)

    assert Meter.objects.get(kind="sender").used == 40


def test_a_worker_whose_moment_is_before_midnight_opens_no_day_again(clock: Clock, acme: Tenant):
    task = make_task(acme)
    make_messages(task, 100)
    limit_sender(task, first=10, growth=0, since=FIRST)
    clock.now = datetime(2027, 3, 2, 0, 0, 1, tzinfo=SHANGHAI)
    assert drain(clock, 0.1) == 10
    clock.now = datetime(2027, 3, 1, 23, 59, 59, tzinfo=SHANGHAI)

    assert take() is None


def test_waiting_for_the_next_day_is_no_fault_and_nobody_looks_in_vain(
    acme: Tenant, client: Client, monkeypatch: pytest.MonkeyPatch
):
    task = make_task(acme)
    make_messages(task, 30)
    limit_sender(task, first=10, growth=0, since=timezone.localdate(timezone=SHANGHAI))
    batch = take()
    assert batch is not None
    deliver(batch)
    Task.objects.update(
        served_at=timezone.now() - timedelta(hours=1), due_at=timezone.now() - timedelta(hours=1)
    )
    claims.ClaimCounter.objects.update(claimed_at=timezone.now() - timedelta(hours=1))

    found = sweep.sweep()

    assert found.deliveries == 0
    assert not claims.wait_for_tokens()
    health = client.get("/healthz")
    assert (health.status_code, health.json()["reasons"]) == (200, [])
    SenderLimit.objects.all().delete()
    assert client.get("/healthz").status_code == 503


@pytest.mark.django_db(transaction=True)
def test_the_ceiling_is_exact_under_four_workers_at_once(transactional_db: None):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    tenant = make_sending_tenant()
    tasks = [make_task(tenant) for _ in range(3)]
    Task.objects.update(sender=tasks[0].sender)
    for task in tasks:
        make_messages(task, 400)
    limit_sender(tasks[0], first=777, growth=0, since=date(2020, 1, 1))
    taken: list[int] = []
    gate = threading.Barrier(4)

    def work(name: str) -> None:
        try:
            gate.wait(10)
            while (batch := claims.claim(worker=name, host="h", size=50)) is not None:
                taken.append(len(batch.messages))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=[f"w{number}"]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sum(taken) == 777
    assert Meter.objects.get().used == 777
    assert Message.objects.filter(lease_token__isnull=False).count() == 777


def test_through_the_engine_the_ceiling_holds_and_a_dead_relay_uses_none_of_it(peer: Peer):
    tenant = make_sending_tenant(peer)
    task = submit(tenant, *(f"r{number}@qq.com" for number in range(10)))
    limit_sender(task, first=4, growth=0, since=date(2020, 1, 1))
    ceilings.forget()

    deliver_all()

    assert len(peer.recipients) == 4
    assert Message.objects.filter(status="pending", attempts=0).count() == 6
    Meter.objects.update(day=date(2020, 1, 2))
    tenant.email_service.transport.port = 9
    tenant.email_service.transport.save()
    deliver_all()
    assert Message.objects.filter(attempts=1).count() == 10
    assert Meter.objects.get().used == 0
    assert Heartbeat.objects.count() == 0
