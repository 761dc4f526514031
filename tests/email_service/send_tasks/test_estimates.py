"""About when a task ends: by limits, warm-up and how fast mail went lately."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from email_service.models import Pace, SenderLimit
from email_service.send_tasks import ceilings, estimates
from email_service.send_tasks.standing import day_of, next_day
from iam.models import Tenant

pytestmark = pytest.mark.django_db
SENDER = "news@mail.example"


def ends(tenant: Tenant, messages: int, begins_at: datetime) -> datetime | None:
    ceilings.forget()
    return estimates.end_of(tenant=tenant, sender=SENDER, messages=messages, begins_at=begins_at)


def pace(*attempts: int) -> None:
    for number, count in enumerate(attempts):
        minute = timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=number)
        Pace.objects.create(minute=minute, verdict="delivered", attempts=count)


def test_without_limits_and_recent_mail_nothing_is_foretold(acme: Tenant) -> None:
    assert ends(acme, 100, timezone.now()) is None


def test_the_busiest_recent_minute_tells_the_pace(acme: Tenant) -> None:
    begins_at = next_day(timezone.now())
    pace(60, 600, 6)

    assert ends(acme, 1000, begins_at) == begins_at + timedelta(seconds=100)


def test_a_sending_domains_rate_is_slower_than_the_platform(acme: Tenant) -> None:
    begins_at = next_day(timezone.now())
    pace(600)
    SenderLimit.objects.create(tenant=acme, domain="mail.example", messages_per_second=2)

    assert ends(acme, 1000, begins_at) == begins_at + timedelta(seconds=500)


def test_a_warm_up_takes_as_many_days_as_its_ceilings_need(acme: Tenant) -> None:
    today = day_of(timezone.now())
    begins_at = next_day(timezone.now())
    pace(6000)
    SenderLimit.objects.create(
        tenant=acme, domain="mail.example", warmup_first=100, warmup_growth=100, warmup_from=today
    )

    # 200 on the first day, 400 on the second, the last 300 on the third.
    found = ends(acme, 900, begins_at)

    assert found == begins_at + timedelta(days=2, seconds=3)
