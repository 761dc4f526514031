"""A month of sending for the demo's reports, written by the product's own code, only with past times."""

import random
import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from email_service.addresses.models import Address
from email_service.mail_templates.models import Template
from email_service.reports import aggregation
from email_service.send_details import outcomes
from email_service.send_details.models import Message
from email_service.send_details.outcomes import OutcomeRow
from email_service.send_tasks import progress, recipients
from email_service.send_tasks.models import Task
from iam.models import Tenant, User
from koomessage.common.codes import short_id

DAYS = 30
TASKS = 12
SEED = 20260101
TOKEN = -1  # no worker's claim ever has it
FAMILIES = (
    "li",
    "wang",
    "zhang",
    "liu",
    "chen",
    "yang",
    "zhao",
    "huang",
    "zhou",
    "wu",
    "xu",
    "sun",
    "ma",
    "zhu",
    "hu",
)
GIVEN = (
    "wei",
    "fang",
    "na",
    "min",
    "jing",
    "lei",
    "qiang",
    "yang",
    "yan",
    "jie",
    "tao",
    "ming",
    "chao",
    "ping",
    "hua",
)
HOSTS = ("mail.example", "inbox.example", "post.example", "letters.example")
CITIES = ("上海", "北京", "深圳", "杭州", "成都", "广州", "武汉", "西安")
# Weight, status, reply code, enhanced code, text, verdict.
ENDS = (
    (940, Message.Status.DELIVERED, 250, "2.0.0", "Kept", "delivered"),
    (25, Message.Status.FAILED, 550, "5.1.1", "No such mailbox here", "failed"),
    (10, Message.Status.FAILED, 552, "5.2.2", "Mailbox full", "failed"),
    (15, Message.Status.REJECTED, 571, "5.7.1", "Refused by the policy of this domain", "rejected"),
)


def make_history(tenant: Tenant, owner: User) -> int:
    """Write finished tasks of the last 30 days, unless the account has sent already.

    Returns how many messages they have.
    """
    templates = list(Template.objects.for_tenant(tenant).filter(is_deleted=False).select_related("version"))
    addresses = list(Address.objects.for_tenant(tenant).usable().select_related("domain"))
    if not templates or not addresses or Task.objects.for_tenant(tenant).exists():
        return 0
    chance = random.Random(SEED)
    now = timezone.now()
    written = 0
    for days_ago in sorted(chance.sample(range(1, DAYS), TASKS), reverse=True):
        hour = (now - timedelta(days=days_ago)).replace(minute=0, second=0, microsecond=0)
        begun = hour.replace(hour=chance.choice((1, 2, 6, 8, 11))) + timedelta(minutes=chance.randrange(50))
        task = _make_task(tenant, owner, chance.choice(templates), chance.choice(addresses), begun)
        written += _send(task, chance, begun, count=chance.randrange(40, 160))
    # Hours are counted as always, a thousand at a time.
    while aggregation.refresh(timezone.now(), 1000):
        pass
    return written


def _make_task(tenant: Tenant, owner: User, template: Template, address: Address, begun: datetime) -> Task:
    version = template.version
    assert version is not None
    task = Task.objects.create(
        tenant=tenant, code=short_id("C"), name=f"{template.title} {begun:%m-%d}", subject=version.title,
        template=template, template_version=version, template_title=version.title, template_code=template.code,
        address=address, domain=address.domain, sender=address.address, sender_alias=address.alias,
        send_type=Task.SendType.NOW, due_at=begun, source=Task.Source.FILE, recipient_file_name="customers.xlsx",
        submission_key=uuid.uuid4(), created_by=owner, status=Task.Status.SENDING, is_read=True, started_at=begun,
    )  # fmt: skip
    # The database writes the time of insertion; the past is put in afterwards.
    Task.objects.filter(pk=task.pk).update(created_at=begun)
    return task


@transaction.atomic
def _send(task: Task, chance: random.Random, begun: datetime, *, count: int) -> int:
    parameters = task.template_version.parameters
    rows = [(number, _address(chance), _values(parameters, chance)) for number in range(2, count + 2)]
    recipients.write(task, recipients.judge(rows), accepted_at=begun)
    Message.objects.filter(task=task).update(lease_token=TOKEN)
    messages = list(Message.objects.filter(task=task).order_by("pk").values_list("pk", flat=True))
    ends = chance.choices(ENDS, weights=[end[0] for end in ENDS], k=len(messages))
    outcomes.record(
        [_outcome(pk, end, begun, chance) for pk, end in zip(messages, ends, strict=True)], now=begun
    )
    Task.objects.filter(pk=task.pk).update(rows_read=count + 1)
    progress.refresh(task.pk)
    Task.objects.filter(pk=task.pk).update(finished_at=begun + timedelta(seconds=90))
    return len(messages)


def _outcome(
    pk: int, end: tuple[int, str, int, str, str, str], begun: datetime, chance: random.Random
) -> OutcomeRow:
    _, status, code, enhanced, text, verdict = end
    started = begun + timedelta(seconds=chance.uniform(1, 80))
    return OutcomeRow(
        message_id=pk, lease_token=TOKEN, status=status, next_attempt_at=None, attempt=1, verdict=verdict,
        host="mx.koomessage.demo", tls="", code=code, enhanced=enhanced, text=text,
        started_at=started, finished_at=started + timedelta(milliseconds=chance.randrange(20, 900)),
    )  # fmt: skip


def _address(chance: random.Random) -> str:
    return (
        f"{chance.choice(GIVEN)}.{chance.choice(FAMILIES)}{chance.randrange(10, 9999)}@{chance.choice(HOSTS)}"
    )


def _values(parameters: list[str], chance: random.Random) -> tuple[str, ...]:
    made = {"city": chance.choice(CITIES), "code": f"KM{chance.randrange(100000, 999999)}"}
    return tuple(
        made.get(name, f"{chance.choice(GIVEN).title()} {chance.choice(FAMILIES).title()}")
        for name in parameters
    )
