"""When a worker counts the tasks it sends: seldom while they run, always at their end."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from email_service.send_details.models import Message
from email_service.send_tasks import claims, progress
from email_service.send_tasks.models import Task
from tests.factories_sending import make_message, make_task

pytestmark = pytest.mark.django_db


def make_sent_task() -> Task:
    task = make_task(accepted_count=1)
    make_message(task, status=Message.Status.DELIVERED)
    return task


def batch_of(task: Task, size: int) -> claims.Batch:
    message = claims.Claimed(1, "a@qq.com", "a@qq.com", (), 0, 0, task.created_at)
    return claims.Batch(1, task, (message,) * size)


def test_batches_that_follow_each_other_quickly_are_counted_once():
    task, counting = make_sent_task(), progress.Counting()
    counting.after(batch_of(task, claims.BATCH))

    with CaptureQueriesContext(
        connection,
    ) as queries:
        counting.after(batch_of(task, claims.BATCH))

    assert len(queries) == 0


def test_what_was_left_uncounted_is_counted_when_nothing_is_due():
    task, counting = make_sent_task(), progress.Counting()
    make_message(task)
    counting.after(batch_of(task, claims.BATCH))
    Message.objects.filter(task=task).update(status=Message.Status.DELIVERED)
    counting.after(batch_of(task, claims.BATCH))

    counting.after(None)

    task.refresh_from_db()
    assert (task.status, task.delivered_count) == (Task.Status.FINISHED, 2)


def test_a_batch_that_may_be_the_last_is_counted_at_once():
    task, counting = make_sent_task(), progress.Counting()
    make_message(task)
    counting.after(batch_of(task, claims.BATCH))
    Message.objects.filter(task=task).update(status=Message.Status.DELIVERED)

    counting.after(batch_of(task, 1))

    task.refresh_from_db()
    assert task.status == Task.Status.FINISHED
