"""Every figure leads to exactly the mails that it counts, also where clocks are put forward or back."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from email_service.reports import aggregation
from email_service.send_details import outcomes
from email_service.send_details.filters import MessageFilter
from email_service.send_details.models import Message
from iam.models import Tenant
from tests.factories_sending import make_sender, make_task, make_version

pytestmark = pytest.mark.django_db
REPORT, DETAILS = "/email/reports/", "/email/details/"


def fill(tenant: Tenant, middle: datetime, number: int = 400) -> None:
    """Messages of every status by three tasks, at odd moments within two days around the middle."""
    chance = random.Random(20261025)
    versions = [make_version(tenant), make_version(tenant)]
    senders = [make_sender(tenant), make_sender(tenant)]
    tasks = [
        make_task(tenant, address=senders[place % 2], template_version=versions[place // 2])
        for place in range(3)
    ]
    edges = [
        middle.replace(minute=0, second=0, microsecond=0) + timedelta(hours=hour) for hour in range(-8, 9)
    ]
    moments = [edge + delta for edge in edges for delta in (timedelta(0), -timedelta(microseconds=1))]
    moments += [middle + timedelta(seconds=chance.uniform(-86_400, 86_400)) for _ in range(number)]
    rows = []
    for place, moment in enumerate(moments):
        key = f"reader{place}@qq.com"
        task, status = chance.choice(tasks), chance.choice(Message.Status.values)
        rows.append(
            Message(
                tenant=tenant, task=task, recipient=key, recipient_key=key, domain="qq.com", status=status,
                accepted_at=moment, finished_at=None if status in ("pending", "held") else moment,
            )
        )  # fmt: skip
    Message.objects.bulk_create(rows)
    outcomes.mark_dirty([(row.tenant_id, row.task_id, row.accepted_at) for row in rows])
    while aggregation.refresh(timezone.now()):
        pass


def details_behind(tenant: Tenant, query: str) -> int:
    form = MessageFilter(QueryDict(query))
    assert not form.errors, (query, form.errors)
    return form.narrow_for(Message.objects.for_tenant(tenant), tenant).count()


@pytest.mark.parametrize(
    ("zone", "middle"),
    [
        ("Europe/Berlin", datetime(2026, 10, 25, 1, 20, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 3, 29, 1, 20, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 1, 6, 20, tzinfo=UTC)),
        ("Asia/Kolkata", datetime(2026, 10, 31, 18, 30, tzinfo=UTC)),
        ("Asia/Shanghai", datetime(2026, 10, 31, 16, 0, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize(
    "asked", ["hour", "day", "month", "hour of some tasks", "day of some tasks", "month of some tasks"]
)
def test_every_cell_and_the_details_behind_it_count_the_same(
    as_owner: Client, acme: Tenant, zone: str, middle: datetime, asked: str
) -> None:
    kind, _, filtered = asked.partition(" ")
    acme.time_zone = zone
    acme.save(update_fields=["time_zone"])
    local = middle.astimezone(ZoneInfo(zone)).date()
    with time_machine.travel(middle + timedelta(days=3), tick=False):
        fill(acme, middle)
        query: dict[str, Any] = {
            "kind": kind,
            "first": local - timedelta(days=1),
            "last": local + timedelta(days=1),
        }
        if filtered:
            task = Message.objects.filter(tenant=acme)[0].task
            query |= {"sender": task.sender, "template": task.template_code}

        table = as_owner.get(REPORT, query).context["table"]

        checked = 0
        with timezone.override(ZoneInfo(zone)):
            for line in [table.sum_line, *table.lines]:
                for figure, link in line.figures[:-1]:
                    assert bool(link) == bool(figure)
                    if link:
                        assert details_behind(acme, link) == figure, (line.label, link)
                        checked += 1
        assert checked > 4
        assert table.total[1] > (100 if filtered else 350)
        if kind == "hour":
            link = table.lines[0].figures[0][1]
            page = as_owner.get(DETAILS, dict(parse_qsl(link)))
            assert len(page.context["lines"]) == table.newest[0][1], "through the page, too"
