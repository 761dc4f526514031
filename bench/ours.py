"""The house under test, one process: `python -m bench.ours` with the settings in the environment.

Its commands are the functions below; each answers one line of JSON.
"""

import os
import time
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "koomessage.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db.models import Max, Min  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench.body import HTML, PARAMETERS, SUBJECT, values_of  # noqa: E402
from bench.sides import obey, timed  # noqa: E402
from email_service.delivery.compose import UNSUBSCRIBE_SLOT  # noqa: E402
from email_service.delivery.dkim import generate_key  # noqa: E402
from email_service.mail_templates.rendering import parts_of  # noqa: E402
from email_service.models import Attempt, DkimKey, Message, Task, Transport  # noqa: E402
from email_service.send_details.bulk import insert_rows  # noqa: E402
from email_service.send_tasks import claims, dispatch, mailing, sweep, turns  # noqa: E402
from email_service.send_tasks.dispatch import station  # noqa: E402
from iam.models import Tenant, User  # noqa: E402

TRACKING_URL = "https://tracking.mail.example"
_COLUMNS = (
    "tenant_id", "task_id", "recipient", "recipient_key", "domain", "params", "row_number", "status",
    "accepted_at", "end_reason", "attempts", "next_attempt_at", "crashes", "in_doubt",
)  # fmt: skip
_tenants: dict[str, Tenant] = {}


def prepare(task: Task) -> mailing.Mailing:
    """Compile as the house does, with tracking, and unsigned where the task says so."""
    return mailing.prepare(task, tracking_url=TRACKING_URL, signs=task.name != "unsigned")


def migrate() -> dict[str, Any]:
    call_command("migrate", verbosity=0, interactive=False)
    return {}


def make(kind: str, count: str, port: str, tenant_name: str = "first") -> dict[str, Any]:
    """A task of so many messages that all go to the sink."""
    tenant = _tenants.get(tenant_name) or _make_tenant(tenant_name, int(port))
    from tests.factories_sending import make_sender, make_task, make_version

    sender = make_sender(tenant)
    private, public = generate_key()
    DkimKey.objects.create(
        domain=sender.domain, selector="koo1", private_key=private.decode(), public_key=public
    )
    version = make_version(
        tenant, body_type="rich", body=HTML, parameters=list(PARAMETERS), can_unsubscribe=True
    )
    task = make_task(
        tenant=tenant, name=kind, subject=SUBJECT, address=sender, template_version=version,
        accepted_count=int(count), pending_count=int(count),
    )  # fmt: skip
    now = timezone.now()
    rows = (
        (
            tenant.pk, task.pk, f"user{number}@example.com", f"user{number}@example.com", "example.com",
            values_of(number), number, "pending", now, "", 0, now, 0, False,
        )
        for number in range(int(count))
    )  # fmt: skip
    insert_rows(Message, _COLUMNS, rows)
    return {"task": task.pk}


def _make_tenant(name: str, port: int) -> Tenant:
    from tests.factories import make_email_service, make_tenant

    _tenants[name] = tenant = make_tenant()
    transport, _ = Transport.objects.get_or_create(name="sink", host="127.0.0.1", port=port)
    make_email_service(tenant, transport=transport)
    return tenant


def mail(task_id: str, file: str) -> dict[str, Any]:
    """Write down one of the task's mails for `smtp-source`, and say how long it is."""
    task = Task.objects.get(pk=task_id)
    row = Message.objects.filter(task=task).first()
    assert row is not None
    claimed = claims.Claimed(
        row.pk, row.recipient, row.recipient_key, tuple(row.params), 0, 0, row.accepted_at
    )
    note = turns.Note(Path(file).with_suffix(".turn"))
    (envelope,) = prepare(task).envelopes((claimed,), note, lambda _render, _sign: None)
    content = envelope.render()  # unsigned
    Path(file).write_bytes(content.replace(b"\r\n", b"\n"))
    text, _ = parts_of(task.template_version)
    return {"octets": len(content), "text": text.replace(UNSUBSCRIBE_SLOT, TRACKING_URL)}


def send() -> dict[str, float]:
    return timed(_send_all)


def send_some(count: str) -> dict[str, float]:
    """Send about so many and no more; `now_mb` is what the process holds after that."""
    batches = -(-int(count) // claims.BATCH)
    return timed(lambda: dispatch.deliver(seconds=float("inf"), most=batches, size=claims.BATCH))


def send_for(seconds: str) -> dict[str, float]:
    return timed(lambda: dispatch.deliver(seconds=float(seconds)))


def _send_all() -> None:
    while dispatch.deliver():
        pass


def tidy() -> dict[str, Any]:
    """What the schedule does beside the workers every few seconds."""
    sweep.sweep()
    return {}


def pages(task_id: str) -> dict[str, float]:
    """How long the console takes for the task's page, its messages and the list of tasks: the mean, in milliseconds."""
    from tests.factories import make_user

    task = Task.objects.select_related("tenant").get(pk=task_id)
    visitor = User.objects.filter(tenant=task.tenant, is_main=True).first() or make_user(
        task.tenant, is_main=True
    )
    client = Client(SERVER_NAME="localhost")
    client.force_login(visitor, backend="iam.backends.StaffBackend")
    addresses = (task.get_absolute_url(), f"/email/details/?task_code={task.code}", "/email/tasks/")
    began = time.perf_counter()
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200, address
    return {"ms": 1000 * (time.perf_counter() - began) / len(addresses)}


def waited(task_id: str) -> dict[str, float | None]:
    """How many seconds after it was there the task's first and last message was begun."""
    accepted = Message.objects.filter(task=task_id).aggregate(at=Min("accepted_at"))["at"]
    begun = Attempt.objects.filter(message__task=task_id).aggregate(
        first=Min("started_at"), last=Max("started_at")
    )
    return {name: at and (at - accepted).total_seconds() for name, at in begun.items()}


def prove(task_id: str) -> dict[str, Any]:
    """Figures count only if every message was written down, and the task knows it."""
    task = Task.objects.get(pk=task_id)
    delivered = Message.objects.filter(task=task, status=Message.Status.DELIVERED).count()
    return {"delivered": delivered, "status": task.status}


if __name__ == "__main__":
    station.prepare = prepare
    obey(
        {
            "migrate": migrate,
            "make": make,
            "mail": mail,
            "send": send,
            "send_some": send_some,
            "send_for": send_for,
            "tidy": tidy,
            "pages": pages,
            "waited": waited,
            "prove": prove,
        }
    )
    dispatch.shut_down(grace=5.0)
