"""What 总览 shows of an account."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Exists, F, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from email_service.models import Address, Domain, HourTotal, Message, Task, Template
from iam.models import Tenant

DAYS = 30


@dataclass(frozen=True)
class Step:
    """One step of the process guide; `is_next` marks the first that is not done."""

    number: int
    title: str | Promise
    text: str | Promise
    url_name: str
    is_done: bool
    is_next: bool


@dataclass(frozen=True)
class Sending:
    """Counts of a span of time."""

    sent: int
    succeeded: int
    failed: int
    pending: int
    rejected: int

    @property
    def rate(self) -> str:
        return f"{100 * self.succeeded / self.sent:.2f}%" if self.sent else "—"


@dataclass(frozen=True)
class Glance:
    """Sending of today and of the last 30 days, since the first of which."""

    today: Sending
    month: Sending
    bars: list["Bar"]
    since: date


@dataclass(frozen=True)
class Bar:
    """A day of the small chart: place and height in a drawing of 30 × 10 by 100."""

    day: date
    sent: int
    x: int
    y: float
    height: float


GUIDE = (
    (
        "domain",
        _("Add a sending domain"),
        _("Prove by DNS that mail in its name is yours."),
        "email:domain_list",
    ),
    ("address", _("Add a sender address"), _("What recipients see as the sender."), "email:address_list"),
    (
        "template",
        _("Prepare a template"),
        _("Choose a public template, or write your own."),
        "email:template_list",
    ),
    (
        "task",
        _("Create a send task"),
        _("At once or on schedule, to typed or uploaded recipients."),
        "email:task_list",
    ),
    (
        "detail",
        _("Look up send details"),
        _("Every message, and what the receiving server said."),
        "email:message_list",
    ),
    ("report", _("Read the reports"), _("By hour, day and month."), "email:report"),
)


def guide(tenant: Tenant) -> list[Step]:
    """Return the Email guide with the steps that the account has completed, in one query."""
    done: dict[str, Any] = dict(
        Tenant.objects.filter(pk=tenant.pk)
        .values(
            domain=Exists(Domain.objects.for_tenant(tenant).verified()),
            address=Exists(Address.objects.for_tenant(tenant)),
            template=Exists(Template.objects.for_tenant(tenant).filter(status=Template.Status.APPROVED)),
            # A test mail to oneself is sent without a template, and is no step.
            task=Exists(Task.objects.for_tenant(tenant).exclude(template=None)),
            detail=Exists(Message.objects.for_tenant(tenant).filter(finished_at__isnull=False)),
            report=Exists(HourTotal.objects.for_tenant(tenant)),
        )
        .get()
    )
    # A task from a public template needs no template of one's own.
    done["template"] = done["template"] or done["task"]
    first_open = next((key for key, *_rest in GUIDE if not done[key]), "")
    return [
        Step(number, title, text, url_name, done[key], key == first_open)
        for number, (key, title, text, url_name) in enumerate(GUIDE, start=1)
    ]


def sending(tenant: Tenant) -> Glance:
    """Return today's sending, that of the last 30 days, and a bar for each of those days (account's zone)."""
    today = timezone.localdate()
    start = today - timedelta(days=DAYS - 1)
    midnight = timezone.make_aware(datetime.combine(start, time.min))
    rows = (
        HourTotal.objects.for_tenant(tenant)
        .filter(hour__gte=midnight)
        .annotate(day=TruncDate("hour"))
        .values("day")
        .annotate(
            good=Sum("succeeded"),
            bad=Sum("failed"),
            open=Sum("pending"),
            refused=Sum("rejected"),
            sent=Sum(F("succeeded") + F("failed") + F("pending") + F("rejected")),
        )
        .filter(Q(sent__gt=0))
        .order_by("day")
    )
    found = {
        row["day"]: Sending(row["sent"], row["good"], row["bad"], row["open"], row["refused"]) for row in rows
    }
    total = Sending(
        *(
            sum(getattr(one, name) for one in found.values())
            for name in ("sent", "succeeded", "failed", "pending", "rejected")
        )
    )
    return Glance(found.get(today, Sending(0, 0, 0, 0, 0)), total, _bars(found, start), start)


def _bars(found: dict[date, Sending], start: date) -> list[Bar]:
    most = max((one.sent for one in found.values()), default=0) or 1
    bars = []
    for index in range(DAYS):
        day = start + timedelta(days=index)
        sent = found[day].sent if day in found else 0
        height = max(round(96 * sent / most, 1), 1.5)
        bars.append(Bar(day, sent, index * 10, 100 - height, height))
    return bars
