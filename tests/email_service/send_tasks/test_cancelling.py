"""Two tabs cancel while the dispatcher starts (F-43): all of the task is sent, or none of it.

CANCEL_ROUNDS says how many tasks are fought over; `make test-faults` takes a thousand on each database.
"""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from email_service.mail_templates.models import TemplateVersion
from email_service.send_details.models import Message
from email_service.send_tasks import services, sweep
from email_service.send_tasks.models import Task
from iam.models import Tenant
from koomessage.common.errors import RuleViolation
from tests.email_service.delivery.peer import Peer
from tests.email_service.send_tasks.sending import deliver_all, make_sending_tenant, submit
from tests.factories_sending import make_version

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = int(os.environ.get("CANCEL_ROUNDS", "50"))
AT_ONCE = 10
AROUND = 0.05  # seconds before and after the moment everything is about


def test_of_two_tabs_that_cancel_and_a_dispatcher_that_starts_one_side_wins_wholly(peer: Peer) -> None:
    tenant = make_sending_tenant(peer)
    version = make_version(tenant)
    dice = random.Random(43)
    ends: Counter[str] = Counter()
    for start in range(0, ROUNDS, AT_ONCE):
        tasks = [_scheduled(tenant, version, start + number) for number in range(AT_ONCE)]
        answers: dict[int, list[str]] = {task.pk: [] for task in tasks}
        begin = time.monotonic() + AROUND
        for task in tasks:
            due = timezone.now() + timedelta(seconds=AROUND + dice.uniform(-AROUND, AROUND))
            Task.objects.filter(pk=task.pk).update(due_at=due)
        steps = [_cancelling(task, answers[task.pk]) for task in tasks for _ in range(2)]
        # On a slow machine one side may always be late: who has won more often comes later.
        lead = AROUND * (ends["cancelled"] - ends["finished"]) / AT_ONCE
        threads = [_thread(step, begin + lead + dice.uniform(-AROUND, AROUND)) for step in steps]
        threads.append(_thread(_start_all_due, begin - AROUND))
        for thread in threads:
            thread.join(30)
        deliver_all()

        received = Counter(recipient for _, recipient in peer.received)
        for number, task in enumerate(tasks, start):
            task.refresh_from_db()
            ends[task.status] += 1
            sent = sum(received[recipient] for recipient in _to(number))
            expected = (0, ["cancelled"] * 2) if task.status == "cancelled" else (2, ["refused"] * 2)
            assert (sent, answers[task.pk]) == expected, (number, task.status)
            steps = ["submitted", "cancelled"] if sent == 0 else ["submitted", "started", "finished"]
            assert [event.kind for event in task.events.order_by("pk")] == steps, (number, task.status)
    assert set(ends) == {"cancelled", "finished"}, "each side won now and then"
    assert len(peer.received) == 2 * ends["finished"]


def _to(number: int) -> tuple[str, str]:
    return f"a{number}@qq.com", f"b{number}@qq.com"


def _scheduled(tenant: Tenant, version: TemplateVersion, number: int) -> Task:
    due = timezone.now() + timedelta(hours=1)
    task = submit(tenant, *_to(number), version=version, send_type="scheduled", due_at=due)
    Message.objects.filter(task=task).update(next_attempt_at=timezone.now())
    return task


def _cancelling(task: Task, answers: list[str]) -> Callable[[], None]:
    def cancel() -> None:
        try:
            services.cancel_task(task, user=None)
        except RuleViolation:
            answers.append("refused")
        else:
            answers.append("cancelled")

    return cancel


def _start_all_due() -> None:
    end = time.monotonic() + 3 * AROUND
    while time.monotonic() < end:
        sweep.start_due()
        time.sleep(0.002)


def _thread(step: Callable[[], None], moment: float) -> threading.Thread:
    def run() -> None:
        time.sleep(max(0.0, moment - time.monotonic()))
        try:
            step()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread
