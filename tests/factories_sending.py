"""Tasks and messages for tests, with what they stand on."""

import uuid
from collections import Counter
from datetime import UTC, datetime
from itertools import count
from typing import Any

from django.utils import timezone

from email_service.addresses.models import Address
from email_service.domains.models import Domain
from email_service.feedback.models import Suppression
from email_service.mail_templates.models import BodyType, Template, TemplateVersion
from email_service.reports import aggregation
from email_service.reports.models import Report
from email_service.send_details.models import Message
from email_service.send_tasks import checks
from email_service.send_tasks.examination import Block, CheckedRow
from email_service.send_tasks.models import Task
from email_service.send_tasks.models_check import RecipientCheck
from iam.models import Tenant
from tests.factories import make_tenant

_numbers = count(1)


def make_sender(tenant: Tenant, **overrides: Any) -> Address:
    """An address of a verified domain."""
    number = next(_numbers)
    domain = overrides.pop("domain", None) or Domain.objects.create(
        tenant=tenant,
        name=f"mail{number}.example",
        display_name=f"mail{number}.example",
        status=Domain.Status.VERIFIED,
        verified_at=timezone.now(),
        token=f"token{number}",
    )
    fields = {"prefix": "news", "address": f"news@{domain.name}", "alias": "Acme News"}
    return Address.objects.create(tenant=tenant, domain=domain, **{**fields, **overrides})


def make_version(tenant: Tenant | None, **overrides: Any) -> TemplateVersion:
    """The one approved version of a template of its own."""
    number = next(_numbers)
    fields: dict[str, Any] = {
        "number": 1,
        "title": f"Welcome {number}",
        "body_type": BodyType.PLAIN,
        "body": "Good day.",
        "status": Template.Status.APPROVED,
        **overrides,
    }
    shared = {name: fields[name] for name in ("title", "body_type", "status")}
    template = Template.objects.create(tenant=tenant, code=f"M{20_000_000 + number}", **shared)
    version = TemplateVersion.objects.create(template=template, **fields)
    template.version = version
    template.save(update_fields=["version"])
    return version


def make_task(tenant: Tenant | None = None, **overrides: Any) -> Task:
    """A task that is being sent at once; sender=, template_version= replace what is made for it."""
    tenant = tenant or make_tenant()
    number = next(_numbers)
    sender = overrides.pop("address", None) or make_sender(tenant)
    version = overrides.pop("template_version", None) or make_version(tenant)
    fields: dict[str, Any] = {
        "code": f"C{30_000_000 + number}",
        "name": f"Campaign {number}",
        "subject": "Hello",
        "template": version.template,
        "template_version": version,
        "address": sender,
        "domain": sender.domain,
        "sender": sender.address,
        "sender_alias": sender.alias,
        "template_title": version.title,
        "template_code": version.template.code,
        "send_type": Task.SendType.NOW,
        "due_at": timezone.now(),
        "source": Task.Source.MANUAL,
        "status": Task.Status.SENDING,
        "is_read": True,
        "submission_key": uuid.uuid4(),
    }
    return Task.objects.create(tenant=tenant, **{**fields, **overrides})


def make_message(task: Task | None = None, **overrides: Any) -> Message:
    """A message that waits to be sent; recipient= sets its key and domain too."""
    if task is None:
        task = make_task(overrides.pop("tenant", None))
    recipient = overrides.pop("recipient", f"reader{next(_numbers)}@qq.com")
    accepted_at: datetime = overrides.pop("accepted_at", None) or timezone.now()
    fields: dict[str, Any] = {
        "tenant": task.tenant,
        "recipient": recipient,
        "recipient_key": recipient.lower(),
        "domain": recipient.rpartition("@")[2],
        "accepted_at": accepted_at,
        "next_attempt_at": accepted_at,
    }
    if overrides.get("status", Message.Status.PENDING) != Message.Status.PENDING:
        fields |= {"next_attempt_at": None, "finished_at": accepted_at, "attempts": 1}
    return Message.objects.create(task=task, **{**fields, **overrides})


def make_suppression(tenant: Tenant, address: str = "gone@qq.com", **overrides: Any) -> Suppression:
    fields = {"address": address, "address_key": address.lower(), "reason": Suppression.Reason.MANUAL}
    return Suppression.objects.create(tenant=tenant, **{**fields, **overrides})


def make_check(tenant: Tenant, **overrides: Any) -> RecipientCheck:
    """A checked file of one good row and one bad one, which lacks its address."""
    version = overrides.pop("template_version", None) or make_version(tenant)
    sender = overrides.pop("address", None) or make_sender(tenant)
    fields: dict[str, Any] = {
        "submission_key": uuid.uuid4(),
        "changed_at": timezone.now(),
        "finished_at": timezone.now(),
        "name": "Spring",
        "subject": "Hello",
        "template": version.template,
        "template_version": version,
        "address": sender,
        "send_type": Task.SendType.NOW,
        "recipient_file": "recipients/a.xlsx",
        "recipient_file_name": "recipients.xlsx",
        "state": RecipientCheck.State.DONE,
        "header": ["email", *version.parameters],
        "rows_read": 2,
        "good_count": 1,
        "bad_counts": {"no_address": 1},
    }
    check = RecipientCheck.objects.create(tenant=tenant, **{**fields, **overrides})
    values = ["x" for _ in version.parameters]
    rows = [CheckedRow(2, "", ["a@qq.com", *values]), CheckedRow(3, "no_address", ["", *values])]
    checks.store_block(check, Block(rows, Counter(row.reason for row in rows)))
    return check


def make_report(task: Task, hour: datetime, **figures: int) -> Report:
    """An hour of the task as it was counted, and added up in the account's total."""
    hour = hour.astimezone(UTC)
    report = Report.objects.create(
        tenant=task.tenant, task=task, hour=hour, updated_at=timezone.now(), **figures
    )
    aggregation.add_up(task.tenant_id, hour)
    return report
