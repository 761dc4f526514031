"""What the sending bench does with Django set up."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.test.utils import setup_databases, teardown_databases
from django.utils import timezone

from email_service.delivery.dkim import generate_key
from email_service.models import DkimKey, Message, Task, Transport
from email_service.send_tasks import dispatch
from tests.factories import make_email_service, make_tenant
from tests.factories_sending import make_sender, make_task, make_version


@contextmanager
def database() -> Iterator[None]:
    """A database of the bench's own, gone afterwards."""
    old = setup_databases(verbosity=0, interactive=False)
    try:
        yield
    finally:
        dispatch.shut_down(grace=5.0)
        teardown_databases(old, verbosity=0)


def make_task_of(count: int, port: int, parameters: tuple[str, ...], body: str) -> Task:
    tenant = make_tenant()
    transport = Transport.objects.create(name="sink", host="127.0.0.1", port=port)
    make_email_service(tenant, transport=transport)
    sender = make_sender(tenant)
    private, public = generate_key()
    DkimKey.objects.create(
        domain=sender.domain, selector="koo1", private_key=private.decode(), public_key=public
    )
    version = make_version(
        tenant,
        body_type="rich",
        body=body + '<a href="{{link}}">查看</a>',
        parameters=list(parameters),
        can_unsubscribe=True,
    )
    task = make_task(
        tenant=tenant, address=sender, template_version=version, is_read=True, accepted_count=count
    )
    now = timezone.now()
    values = ["李娜", "上海", "SF1234567890", "无线耳机", "https://example.com/orders/1"]
    Message.objects.bulk_create(
        (
            Message(
                tenant=tenant,
                task=task,
                recipient=f"user{number}@example.com",
                recipient_key=f"user{number}@example.com",
                domain="example.com",
                params=values,
                accepted_at=now,
                next_attempt_at=now,
            )
            for number in range(count)
        ),
        batch_size=500,
    )
    return task


def send_all() -> None:
    while dispatch.deliver_batch():
        pass


def prove(task: Task, taken: int, count: int) -> None:
    """Figures count only if every message was taken once and written down."""
    delivered = Message.objects.filter(task=task, status=Message.Status.DELIVERED).count()
    assert taken == delivered == count, (taken, delivered, count)
