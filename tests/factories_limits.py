"""Limits, a clock to move by hand, and messages by the thousand."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from email_service.send_details.models import Message
from email_service.send_tasks import claims
from email_service.send_tasks.claims import Batch
from email_service.send_tasks.models import Task
from email_service.setup.models import DestinationLimit, EmailService, SenderLimit
from iam.models import Tenant


@dataclass
class Clock:
    """The clock that all workers share, standing still until it is moved."""

    now: datetime

    def forward(self, **much: float) -> None:
        self.now += timedelta(**much)


def stop_clock(monkeypatch: pytest.MonkeyPatch, now: datetime | None = None) -> Clock:
    clock = Clock(now or timezone.now() + timedelta(minutes=1))
    monkeypatch.setattr(claims, "database_now", lambda: clock.now)
    return clock


def limit_tenant(tenant: Tenant, rate: float | None) -> None:
    EmailService.objects.filter(tenant=tenant).update(messages_per_second=rate)


def limit_sender(task: Task, rate: float | None = None, **warmup: Any) -> SenderLimit:
    """A limit of the task's sending domain; first=, growth=, since=, until=, most= make its warm-up."""
    names = {"since": "warmup_from"}
    fields = {names.get(name, f"warmup_{name}"): value for name, value in warmup.items()}
    domain = task.sender.rpartition("@")[2]
    limit, _new = SenderLimit.objects.update_or_create(
        tenant=task.tenant, domain=domain, defaults={"messages_per_second": rate, **fields}
    )
    return limit


def limit_destination(domain: str, rate: float) -> DestinationLimit:
    limit, _new = DestinationLimit.objects.update_or_create(
        domain=domain, defaults={"messages_per_second": rate}
    )
    return limit


def make_messages(task: Task, number: int, domain: str = "qq.com", *, since: datetime | None = None) -> None:
    """So many messages due since then; of tasks made by hand, their figures too."""
    since = since or timezone.now() - timedelta(minutes=5)
    start = Message.objects.filter(task=task).count()
    Message.objects.bulk_create(
        Message(
            tenant_id=task.tenant_id,
            task=task,
            recipient=f"r{place}@{domain}",
            recipient_key=f"r{place}@{domain}",
            domain=domain,
            accepted_at=since,
            next_attempt_at=since,
        )
        for place in range(start, start + number)
    )
    Task.objects.filter(pk=task.pk).update(accepted_count=start + number, pending_count=start + number)


def take(worker: str = "w") -> Batch | None:
    return claims.claim(worker=worker, host="here")


def deliver(batch: Batch) -> None:
    """End the batch as if a server had taken all of it."""
    Message.objects.filter(lease_token=batch.token).update(
        status="delivered",
        next_attempt_at=None,
        parked_since=None,
        lease_token=None,
        finished_at=claims.database_now(),
    )
    claims.close(batch.token)


def drain(clock: Clock, seconds: float, step: float = 0.1, on: Callable[[Batch], object] = deliver) -> int:
    """Claim as workers do while so much time goes by, and return how many messages went."""
    number = 0
    for _ in range(round(seconds / step)):
        while (batch := take()) is not None:
            number += len(batch.messages)
            on(batch)
            clock.forward(milliseconds=1)  # no two claims are of one moment: that is whose turn it is
        clock.forward(seconds=step)
    return number
