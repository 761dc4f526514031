# ruff: noqa: T201
"""A worker process of its own for tests that kill it: argument 1 says what it does. Prints what it found."""

import os
import sys
import threading
import time
from pathlib import Path

import django

sys.path.insert(0, str(Path.cwd()))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "koomessage.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db.models import Count  # noqa: E402

from email_service.send_details.models import Attempt, Message  # noqa: E402
from email_service.send_tasks import claims, dispatch, jobs, sweep  # noqa: E402
from email_service.send_tasks.models import ClaimCounter, Task  # noqa: E402
from tests.email_service.delivery.peer import Peer  # noqa: E402
from tests.email_service.send_tasks.sending import deliver_all, make_sending_tenant, submit  # noqa: E402

jobs.hint = lambda job, *arguments: None


def prepare(port: str, recipients: str) -> None:
    call_command("migrate", verbosity=0)
    ClaimCounter.objects.get_or_create(pk=1)

    class Elsewhere(Peer):
        def __init__(self) -> None:
            self.port = int(port)

    tenant = make_sending_tenant(Elsewhere())
    for start in range(0, int(recipients), 10):
        submit(tenant, *[f"r{number}@qq.com" for number in range(start, start + 10)])
    print("ready", flush=True)


def work() -> None:
    print("begin", flush=True)
    sweep.sweep()
    deliver_all()
    dispatch.shut_down()
    print("done", flush=True)


def serve() -> None:
    """Work as jobs do, until a line comes in."""
    told = threading.Thread(target=sys.stdin.readline, daemon=True)
    told.start()
    print("begin", flush=True)
    while told.is_alive():
        if not dispatch.deliver_batch() and not claims.wait_for_tokens():
            time.sleep(0.05)
    dispatch.shut_down()


def count() -> None:
    for status, number in Message.objects.order_by().values_list("status").annotate(Count("pk")):
        print(status, number)
    print("doubts", Attempt.objects.filter(in_doubt=True).count())
    print("held", Message.objects.exclude(lease_token=None).count())
    print("unfinished", Task.objects.unfinished().count())


{"prepare": prepare, "work": work, "serve": serve, "count": count}[sys.argv[1]](*sys.argv[2:])
