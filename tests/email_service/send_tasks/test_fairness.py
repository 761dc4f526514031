"""Whose turn it is: nobody waits behind another account's large task for longer than a batch."""

import pytest
from django.utils import timezone

from email_service.send_details.models import Message
from email_service.send_tasks import claims, dispatch
from email_service.send_tasks.models import Task
from iam.models import Tenant
from tests.email_service.delivery.peer import Peer
from tests.email_service.send_tasks.sending import make_sending_tenant, submit
from tests.factories_sending import make_message

pytestmark = pytest.mark.django_db(transaction=True)


def submit_large(tenant: Tenant, count: int) -> Task:
    """A task of so many messages; all but the first are added below the form, which would take its time."""
    task = submit(tenant, "large0@qq.com")
    first = Message.objects.get(task=task)
    Message.objects.bulk_create(
        Message(
            tenant=tenant,
            task=task,
            recipient=f"large{number}@qq.com",
            recipient_key=f"large{number}@qq.com",
            domain="qq.com",
            accepted_at=first.accepted_at,
            next_attempt_at=first.next_attempt_at,
        )
        for number in range(1, count)
    )
    return task


def test_a_small_task_comes_after_the_batch_in_hand_however_many_another_account_sends(peer: Peer):
    large = submit_large(make_sending_tenant(peer), 2 * claims.BATCH)
    dispatch.deliver_batch()
    small = submit(make_sending_tenant(peer), *(f"small{number}@163.com" for number in range(10)))

    dispatch.deliver_batch()

    small.refresh_from_db()
    assert small.status == Task.Status.FINISHED
    assert len(peer.recipients) == claims.BATCH + 10
    assert Message.objects.filter(task=large, status=Message.Status.PENDING).count() == claims.BATCH


def test_an_account_gains_nothing_by_cutting_its_mail_into_many_tasks(peer: Peer):
    many, one = make_sending_tenant(peer), make_sending_tenant(peer)
    tasks = [submit(many, f"many{number}@qq.com") for number in range(4)]
    other = submit(one, "one@163.com")
    make_message(other, recipient="later@163.com", next_attempt_at=timezone.now())

    dispatch.deliver_batch()
    dispatch.deliver_batch()

    other.refresh_from_db()
    assert other.served_at is not None
    assert Task.objects.filter(pk__in=[task.pk for task in tasks], served_at=None).count() == 3


def test_tasks_of_one_account_share_its_turns(peer: Peer):
    tenant = make_sending_tenant(peer)
    large = submit_large(tenant, 2 * claims.BATCH)
    dispatch.deliver_batch()
    small = submit(tenant, "small@163.com")

    dispatch.deliver_batch()

    small.refresh_from_db()
    large.refresh_from_db()
    assert small.status == Task.Status.FINISHED
    assert large.pending_count == claims.BATCH
