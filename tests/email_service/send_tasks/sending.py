"""What the tests of sending share: a peer that answers as told, tasks that go to it, sheets to upload."""

import uuid
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile

from email_service.addresses.models import Address
from email_service.mail_templates.models import TemplateVersion
from email_service.send_tasks import dispatch, services
from email_service.send_tasks.models import Task
from email_service.setup.models import EmailService
from iam.models import Tenant
from tests.email_service.delivery.peer import Peer
from tests.factories import make_email_service, make_tenant, make_transport
from tests.factories_domains import make_address, make_domain
from tests.factories_sending import make_version

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def make_sending_tenant(peer: Peer | None = None, **service: Any) -> Tenant:
    """An account whose mail goes to the peer."""
    tenant = make_tenant()
    port = peer.port if peer is not None else 9
    make_email_service(tenant, transport=make_transport(port=port, connections=4), **service)
    return tenant


def sender_of(tenant: Tenant) -> Address:
    found = Address.objects.for_tenant(tenant).first()
    return found or make_address(make_domain(tenant, verified=True))


def submit(
    tenant: Tenant, *recipients: str, version: TemplateVersion | None = None, **overrides: Any
) -> Task:
    version = version or make_version(tenant)
    fields: dict[str, Any] = {
        "name": "Spring",
        "subject": "Hello",
        "template": version.template,
        "address": sender_of(tenant),
        "submission_key": uuid.uuid4(),
        "recipients": list(recipients),
    }
    return services.submit_task(tenant=tenant, user=None, **{**fields, **overrides})


def sheet(*rows: Sequence[object], name: str = "recipients.xlsx") -> SimpleUploadedFile:
    target = BytesIO()
    book = xlsxwriter.Workbook(target, {"strings_to_formulas": False, "strings_to_urls": False})
    page = book.add_worksheet()
    for number, row in enumerate(rows):
        page.write_row(number, 0, row)
    book.close()
    return SimpleUploadedFile(name, target.getvalue(), XLSX)


def deliver_all() -> int:
    """Deliver batch after batch until nothing is due, and return how many there were."""
    count = 0
    while dispatch.deliver_batch():
        count += 1
    return count


def set_policy(tenant: Tenant, policy: str) -> None:
    EmailService.objects.filter(tenant=tenant).update(in_doubt=policy)
