"""Batches overlap: the next is claimed while the last replies of the one before are awaited."""

import pytest

from email_service.send_details.models import Message
from email_service.send_tasks import dispatch
from tests.email_service.delivery.peer import Peer, Wait
from tests.email_service.send_tasks.sending import make_sending_tenant, submit

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_server_that_takes_its_time_holds_up_its_own_batch_alone(peer: Peer):
    peer.script = lambda session, stage, argument: (
        Wait(2.5) if stage == "dot" and "slow@qq.com" in session.recipient else None
    )
    slow = submit(make_sending_tenant(peer), "slow@qq.com", "quick@qq.com")
    other = submit(make_sending_tenant(peer), "a@163.com", "b@163.com")

    dispatch.deliver()

    ended = dict(Message.objects.values_list("recipient", "finished_at"))
    assert max(ended["a@163.com"], ended["b@163.com"]) < ended["slow@qq.com"]
    for task in (slow, other):
        task.refresh_from_db()
        assert (task.status, task.delivered_count) == ("finished", 2)


def test_one_call_delivers_batch_after_batch_and_says_that_nothing_is_left(peer: Peer):
    tenant = make_sending_tenant(peer)
    tasks = [submit(tenant, f"u{number}@qq.com") for number in range(7)]

    assert dispatch.deliver(seconds=60.0) is False

    assert len(peer.recipients) == len(tasks)


def test_no_batch_is_begun_after_the_time_is_over_but_the_first(peer: Peer):
    tenant = make_sending_tenant(peer)
    for number in range(3):
        submit(tenant, f"u{number}@qq.com")

    assert dispatch.deliver(seconds=-1.0) is True

    assert len(peer.recipients) == 1
