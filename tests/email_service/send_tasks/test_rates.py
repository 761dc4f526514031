"""Messages a second: per account, per sending domain, per destination; nobody waits for another's limit."""

from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from email_service.send_details.models import Message
from email_service.send_tasks import ceilings, claims, sweep
from email_service.send_tasks.models import Meter, Task
from email_service.setup.models import DestinationLimit
from iam.models import Tenant
from tests.factories_limits import (
    Clock,
    deliver,
    drain,
    limit_destination,
    limit_sender,
    limit_tenant,
    make_messages,
    stop_clock,
    take,
)
from tests.factories_sending import make_task

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return stop_clock(monkeypatch)


def test_an_account_sends_no_more_a_second_than_it_may(clock: Clock, acme: Tenant):
    make_messages(make_task(acme), 300)
    limit_tenant(acme, 20)

    # One second's worth at once, then by quarters of a second.
    assert 20 + 5 * 20 - 7 <= drain(clock, 5) <= 20 + 5 * 20


def test_a_sending_domain_has_a_limit_of_its_own(clock: Clock, acme: Tenant):
    slow, other = make_task(acme), make_task(acme)
    make_messages(slow, 100)
    make_messages(other, 100)
    limit_sender(slow, 10)

    drain(clock, 3)

    assert 36 <= Message.objects.filter(task=slow, status="delivered").count() <= 40
    assert Message.objects.filter(task=other, status="delivered").count() == 100


def test_a_destination_has_one_limit_for_all_accounts(clock: Clock, acme: Tenant, globex: Tenant):
    for tenant in (acme, globex):
        task = make_task(tenant)
        make_messages(task, 100)
        make_messages(task, 50, "163.com")
    limit_destination("qq.com", 20)

    drain(clock, 3)

    gone = Message.objects.filter(status="delivered")
    assert 73 <= gone.filter(domain="qq.com").count() <= 80
    assert gone.filter(domain="163.com").count() == 100
    # The tokens go in turn, whoever has more mail.
    shares = Counter(gone.filter(domain="qq.com").values_list("tenant__account", flat=True))
    assert abs(shares["acme"] - shares["globex"]) <= 10


def test_a_destination_serves_the_small_account_beside_the_large_one(
    clock: Clock, acme: Tenant, globex: Tenant
):
    large = make_task(acme)
    make_messages(large, 2000)
    limit_destination("qq.com", 20)
    drain(clock, 1)
    small = make_task(globex)
    make_messages(small, 10)

    drain(clock, 1.2)

    assert Message.objects.filter(task=small, status="delivered").count() == 10


def test_a_rate_below_one_a_second_is_kept_too(clock: Clock, acme: Tenant):
    make_messages(make_task(acme), 10)
    limit_tenant(acme, 0.2)

    assert drain(clock, 14.9, step=0.5) == 3


def test_whoever_waits_for_tokens_holds_up_nobody(clock: Clock, acme: Tenant, globex: Tenant):
    make_messages(make_task(acme), 100)
    limit_tenant(acme, 1)
    drain(clock, 0.1)
    free = make_task(globex)
    make_messages(free, 700)

    first, second = take(), take()

    assert first is not None and second is not None
    assert (first.task, second.task) == (free, free)
    assert (len(first.messages), len(second.messages)) == (claims.BATCH, 200)


def test_a_change_counts_from_the_next_claim(clock: Clock, acme: Tenant):
    make_messages(make_task(acme), 1200)
    limit_tenant(acme, 5)
    assert drain(clock, 1) == 9  # five at once, and four more while nine tenths go by

    limit_tenant(acme, 100)
    clock.forward(seconds=1)
    batch = take()
    assert batch is not None
    assert len(batch.messages) == 100
    deliver(batch)

    limit_tenant(acme, None)
    batch = take()
    assert batch is not None
    assert len(batch.messages) == claims.BATCH


def test_a_limit_of_nobody_concerned_changes_nothing(clock: Clock, acme: Tenant, globex: Tenant):
    task = make_task(acme)
    make_messages(task, 500)
    limit_tenant(globex, 1)
    limit_destination("gmail.com", 1)
    limit_sender(make_task(globex), 1)

    batch = take()

    assert batch is not None
    assert len(batch.messages) == 500


def test_two_sending_domains_of_one_name_are_two(clock: Clock, acme: Tenant, globex: Tenant):
    mine, theirs = make_task(acme), make_task(globex)
    Task.objects.filter(pk=theirs.pk).update(sender=mine.sender)
    for task in (mine, theirs):
        make_messages(task, 50)
    limit_sender(mine, 1)

    drain(clock, 0.1)

    assert Message.objects.filter(task=theirs, status="delivered").count() == 50
    assert Message.objects.filter(task=mine, status="delivered").count() == 1


def test_the_tightest_of_several_limits_counts_and_the_others_keep_their_tokens(clock: Clock, acme: Tenant):
    task = make_task(acme)
    make_messages(task, 100)
    limit_tenant(acme, 50)
    limit_sender(task, 30)
    limit_destination("qq.com", 10)

    batch = take()

    assert batch is not None
    assert len(batch.messages) == 5  # half of what there is: the rest may be another account's
    left = {meter.kind: round(meter.tokens) for meter in Meter.objects.all()}
    assert left == {"tenant": 45, "sender": 25, "destination": 5}


def test_a_claim_where_nothing_is_limited_asks_once_a_second_whether_it_is(acme: Tenant):
    make_messages(make_task(acme), 1600)
    take()  # makes the counter
    ceilings.forget()
    counts, asked = [], []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            take()
        counts.append(len(queries))
        asked = [query["sql"] for query in queries.captured_queries]

    assert counts[0] == counts[1] + 1
    assert not any("meter" in sql or 'limit"' in sql or "parked" in sql for sql in asked)


def test_a_claim_asks_as_often_under_many_limits_as_under_few(acme: Tenant):
    task = make_task(acme)
    limit_tenant(acme, 1000)
    limit_destination("qq.com", 5)
    counts = []
    for number in (0, 20):
        for place in range(number):
            limit_destination(f"other{place}.example", 5)
        take()  # gives the new ones their meters
        make_messages(task, 10, "qq.com" if number else "gmail.com")
        make_messages(task, 10, "gmail.com")
        with CaptureQueriesContext(connection) as asked:
            assert take() is not None
        counts.append(len(asked))

    assert counts[1] - counts[0] <= 2  # one's rows are parked, and its meter is written


def test_the_worker_comes_back_soon_and_the_sweep_finds_it_too(
    clock: Clock, acme: Tenant, monkeypatch: pytest.MonkeyPatch
):
    slept: list[float] = []
    monkeypatch.setattr(claims.time, "sleep", slept.append)
    assert not claims.wait_for_tokens()
    make_messages(make_task(acme), 30)
    limit_destination("qq.com", 2)
    ceilings.forget()
    assert drain(clock, 0.1) == 2
    clock.forward(seconds=-0.1)

    assert take() is None
    assert claims.wait_for_tokens()
    assert 0.4 < slept[0] <= 0.5
    clock.forward(seconds=60)
    assert sweep.sweep().deliveries == 1


def test_mail_that_waits_for_nothing_is_waited_for_by_nobody(clock: Clock, acme: Tenant):
    task = make_task(acme)
    make_messages(task, 1)
    limit_tenant(acme, 2)
    drain(clock, 0.1)

    assert not claims.wait_for_tokens()


def test_meters_of_limits_that_are_gone_go_too(clock: Clock, acme: Tenant):
    task = make_task(acme)
    make_messages(task, 30)
    limit_destination("qq.com", 2)
    limit_tenant(acme, 500)
    drain(clock, 0.1)
    DestinationLimit.objects.all().delete()
    limit_tenant(acme, None)
    clock.forward(days=1)

    sweep.sweep()
    assert list(Meter.objects.values_list("kind", flat=True)) == ["destination"]
    held = take()
    sweep.sweep()
    assert Meter.objects.count() == 1
    assert held is not None
    assert len(held.messages) == 28
    deliver(held)
    sweep.sweep()
    assert Meter.objects.count() == 0
