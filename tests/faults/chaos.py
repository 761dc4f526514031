# ruff: noqa: T201
"""The processes of a chaos test. `prepare` and `report` run once; `fork` makes workers by forking, as Celery does.

A fork is at work within milliseconds, so that workers can be killed as often as twice a second. Nothing that
may not be shared (connections, journal, engine) is opened before the fork.
"""

import json
import os
import signal
import sys
import time
import traceback
from collections import Counter
from datetime import timedelta
from pathlib import Path

import django

sys.path.insert(0, str(Path.cwd()))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "koomessage.settings")
django.setup()

from django.core.files.uploadedfile import SimpleUploadedFile  # noqa: E402
from django.core.management import CommandError, call_command  # noqa: E402
from django.db import close_old_connections  # noqa: E402
from django.db.models import Q, Sum  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from billing import services as billing  # noqa: E402
from billing.models import UnitEntry  # noqa: E402
from email_service.delivery.dkim import DkimSigner  # noqa: E402
from email_service.mail_templates.models import TemplateVersion  # noqa: E402
from email_service.reports import aggregation  # noqa: E402
from email_service.send_details.models import Attempt, Message  # noqa: E402
from email_service.send_tasks import dispatch, jobs, recipients, sweep  # noqa: E402
from email_service.send_tasks.dispatch import speed  # noqa: E402
from email_service.send_tasks.models import Claim, Task  # noqa: E402
from email_service.send_tasks.services import cancel_rest as cancel  # noqa: E402
from email_service.setup.models import EmailService  # noqa: E402
from email_service.setup.services import pause_sending  # noqa: E402
from iam.models import Tenant, User  # noqa: E402
from tests.email_service.delivery.peer import Peer  # noqa: E402
from tests.email_service.send_tasks.sending import XLSX, make_sending_tenant, sender_of, submit  # noqa: E402
from tests.factories import make_staff, make_user  # noqa: E402
from tests.factories_sending import make_suppression, make_version  # noqa: E402

jobs.hint = lambda job, *arguments: None
FINISHED = "finished"
recipients.CHUNK = int(os.environ.get("FAULTS_CHUNK", recipients.CHUNK))
speed.MOST = int(os.environ.get("FAULTS_BATCH", speed.MOST))
if poison := os.environ.get("FAULTS_POISON"):
    sign = DkimSigner.sign

    def die_over_poison(signer: DkimSigner, mail: bytes, **options: bool) -> bytes:
        """What the kernel does to a process over a mail that needs more memory than there is."""
        if b"\r\nTo: <" + poison.encode() in mail:
            os.kill(os.getpid(), signal.SIGKILL)
        return sign(signer, mail, **options)

    DkimSigner.sign = die_over_poison  # type: ignore[method-assign]


def prepare(folder: str, port: str, units: str, *suppressed: str) -> None:
    """Submit the folder's sheet as one task of an account whose packages pay for some of it."""
    call_command("migrate", verbosity=0)

    class Elsewhere(Peer):
        def __init__(self) -> None:
            self.port = int(port)

    tenant = make_sending_tenant(Elsewhere())
    Tenant.objects.filter(pk=tenant.pk).update(pay_as_you_go=True)
    ends = timezone.now() + timedelta(days=30)
    billing.grant_package(
        tenant=tenant, name="Some", units=int(units), valid_until=ends, granted_by=None, reason="test"
    )
    for address in suppressed:
        make_suppression(tenant, address)
    file = SimpleUploadedFile("all.xlsx", (Path(folder) / "all.xlsx").read_bytes(), XLSX)
    submit(tenant, source=Task.Source.FILE, file=file)


def cast(port: str, accounts: str, *suppressed: str) -> None:
    """Make accounts whose mail goes to the port, and print how to be their main users, and an operator."""
    call_command("migrate", verbosity=0)

    class Elsewhere(Peer):
        def __init__(self) -> None:
            self.port = int(port)

    people = []
    for _ in range(int(accounts)):
        tenant = make_sending_tenant(Elsewhere())
        for address in suppressed:
            make_suppression(tenant, address)
        template, sender = make_version(tenant).template, sender_of(tenant)
        session = session_of(make_user(tenant, is_main=True))
        people.append({"session": session, "template": str(template.pk), "address": str(sender.pk)})
    print(json.dumps({"people": people, "operator": session_of(make_staff())}))


def session_of(user: User) -> str:
    visitor = Client()
    visitor.force_login(user, backend="iam.backends.StaffBackend")
    return visitor.cookies["sessionid"].value


def fork(folder: str) -> None:
    """Make one worker for each line of standard input, and say its process id."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in sys.stdin:
        worker = os.fork()
        if worker == 0:
            work(Path(folder))
            os._exit(0)
        print(worker, flush=True)


def work(folder: Path) -> None:
    """Do what jobs do, one after the other, until every task has ended; an error ends one job, not the worker."""
    while not (folder / FINISHED).exists():
        try:
            close_old_connections()
            for task in sweep.sweep().unread:
                recipients.read(task)
            while dispatch.deliver_batch():
                pass
            if not Task.objects.unfinished().exists():
                (folder / FINISHED).touch()
        except Exception:
            with (folder / "errors").open("a") as file:
                file.write(traceback.format_exc())
        time.sleep(0.05)
    dispatch.shut_down()


def later(seconds: str) -> None:
    """Submit another task, due in so many seconds."""
    due = timezone.now() + timedelta(seconds=int(seconds))
    version = TemplateVersion.objects.get()
    submit(
        Tenant.objects.get(), "later@qq.com", version=version, send_type=Task.SendType.SCHEDULED, due_at=due
    )


def pause() -> None:
    """What an operator does to an account that must send no more."""
    pause_sending(EmailService.objects.get(), user=None, reason="test")


def cancel_rest() -> None:
    cancel(Task.objects.get(), user=None)


def resume() -> None:
    """What an operator says after a restore."""
    call_command("resume_dispatch", "--after-restore")


def report(folder: str) -> None:
    """Print what the database says in the end."""
    sweep.sweep()
    while aggregation.refresh(timezone.now()):
        pass
    integrity = ""
    try:
        with (Path(folder) / "integrity").open("w") as said:
            call_command("check_integrity", stdout=said)
    except CommandError:
        integrity = (Path(folder) / "integrity").read_text()
    due = Message.objects.exclude(status__in=["pending", "held", "cancelled"]).filter(
        ~Q(end_reason="platform")
    )
    charged = UnitEntry.objects.filter(kind=UnitEntry.Kind.CONSUME).aggregate(sum=Sum("units"))["sum"]
    open_units = UnitEntry.objects.filter(kind=UnitEntry.Kind.RESERVE).aggregate(sum=Sum("units"))["sum"]
    given = UnitEntry.objects.filter(kind=UnitEntry.Kind.RELEASE).aggregate(sum=Sum("units"))["sum"] or 0
    found = {
        "messages": dict(Message.objects.values_list("recipient_key", "status")),
        "set_aside": list(Message.objects.filter(crashes__gte=3).values_list("recipient_key", flat=True)),
        "doubts": Counter(
            Attempt.objects.filter(in_doubt=True).values_list("message__recipient_key", flat=True)
        ),
        "claimed": Message.objects.exclude(lease_token=None).count() + Claim.objects.count(),
        "tasks": list(Task.objects.values_list("status", flat=True)),
        "due": due.exclude(end_reason="suppressed").count(),
        "charged": charged,
        "still_reserved": open_units - charged - given,
        "integrity": integrity,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    commands = {
        "prepare": prepare,
        "cast": cast,
        "later": later,
        "fork": fork,
        "pause": pause,
        "cancel": cancel_rest,
        "resume": resume,
        "report": report,
    }
    commands[sys.argv[1]](*sys.argv[2:])
