"""The blocks of 总览: each holds something only for those who may see it on its own page, too."""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.queries import PackageLine, overview_packages
from email_service.models import Domain, Task
from email_service.send_tasks.reasons import task_sentence
from email_service.send_tasks.shares import Part, parts
from iam.models import Tenant
from koomessage.common.permissions import may
from koomessage.console import queries
from koomessage.console.failures import Failures, failures
from koomessage.console.queries import Glance

MOST_TASKS = 100
SHOWN_TASKS = 5
LATE = timedelta(minutes=10)
RECENT = timedelta(days=7)
ENDING = timedelta(days=30)
_MOVING = (Task.Status.PREPARING, Task.Status.SENDING)
_CALLS = (*_MOVING, Task.Status.SCHEDULED, Task.Status.PAUSED, Task.Status.QUOTA_PAUSED)
_WHY: dict[str, Promise] = {
    Task.Status.PAUSED: _("It is paused. Resume it, or cancel the rest."),
    Task.Status.QUOTA_PAUSED: _("The quota is used up. Buy a package or top up; it then goes on by itself."),
    Task.Status.SCHEDULED: _("Its hour has passed, and it has not begun. It begins as soon as it can."),
    Task.Status.PREPARING: _("Its recipients are still being read. Look at its page."),
    Task.Status.FAILED: _("Nothing could be sent. Its page says why."),
}


@dataclass(frozen=True)
class Call:
    """A task that somebody should look at, and why."""

    task: Task
    why: str | Promise


@dataclass(frozen=True)
class Moving:
    """A task under way, and the parts of its bar."""

    task: Task
    parts: list[Part]


@dataclass(frozen=True)
class Tasks:
    moving: list[Moving] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    more_moving: int = 0
    more_calls: int = 0


@dataclass(frozen=True)
class Health:
    """How a domain stands: `state` as badges know it."""

    domain: Domain
    state: str
    label: str | Promise


@dataclass(frozen=True)
class Board:
    """What one user sees of the account; None where it may not."""

    glance: Glance | None
    failures: Failures | None
    tasks: Tasks | None
    domains: list[Health] | None
    packages: list[PackageLine] | None
    ending_before: datetime
    since: datetime


def board_of(tenant: Tenant, user: Any) -> Board:
    now = timezone.now()
    first = timezone.localdate() - timedelta(days=queries.DAYS - 1)
    since = timezone.make_aware(datetime.combine(first, time.min))
    return Board(
        queries.sending(tenant) if may(user, "email_service.list_report") else None,
        failures(tenant, since) if may(user, "email_service.list_message") else None,
        tasks_of(tenant, now) if may(user, "email_service.list_task") else None,
        domains_of(tenant) if may(user, "email_service.list_domain") else None,
        overview_packages(tenant) if may(user, "billing.list_package") else None,
        now + ENDING,
        since,
    )


def tasks_of(tenant: Tenant, now: datetime) -> Tasks:
    """Return what is under way and what waits for somebody, the newest first, by one query."""
    wanted = Q(status__in=_CALLS) | Q(status=Task.Status.FAILED, created_at__gte=now - RECENT)
    rows = Task.objects.for_tenant(tenant).filter(wanted).order_by("-created_at", "-pk")[:MOST_TASKS]
    moving: list[Moving] = []
    calls: list[Call] = []
    for task in rows:
        if _needs_somebody(task, now):
            calls.append(Call(task, task_sentence(task.status_reason) or _WHY[task.status]))
        elif task.status in _MOVING:
            moving.append(Moving(task, parts(task)))
    return Tasks(
        moving[:SHOWN_TASKS],
        calls[:SHOWN_TASKS],
        max(len(moving) - SHOWN_TASKS, 0),
        max(len(calls) - SHOWN_TASKS, 0),
    )


def _needs_somebody(task: Task, now: datetime) -> bool:
    if task.status == Task.Status.SCHEDULED:
        return task.due_at < now - LATE
    if task.status == Task.Status.PREPARING:
        return task.created_at < now - LATE and not task.is_read
    return task.status != Task.Status.SENDING


def domains_of(tenant: Tenant) -> list[Health]:
    """Return how the account's domains stand, those that need somebody first."""
    found = [_health(domain) for domain in Domain.objects.for_tenant(tenant).order_by("display_name")]
    order = ("blocked", "at_risk", "unverified", "checking", "verified")
    return sorted(found, key=lambda health: order.index(health.state))


def _health(domain: Domain) -> Health:
    if domain.is_blocked:
        return Health(domain, "blocked", _("Blocked"))
    if domain.is_at_risk:
        return Health(domain, "at_risk", _("At risk"))
    shown = domain.shown_status
    return Health(domain, shown.value, shown.label)
