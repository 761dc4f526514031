"""A removal that is killed, and two at once: the books are right at every moment."""

import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from email_service.retention import purging
from email_service.send_details.models import ClosedCount, Message
from iam.models import Tenant
from tests.email_service.retention.test_purge_messages import check, make_ended_task, purge


@pytest.mark.django_db(transaction=True)
def test_a_purge_that_is_killed_leaves_clean_books(acme: Tenant, settings: Any) -> None:
    make_ended_task(acme, copies=50)
    where = connection.settings_dict
    address = (
        f"sqlite:///{where['NAME']}"
        if connection.vendor == "sqlite"
        else f"postgresql://{where['USER']}:{where['PASSWORD']}@{where['HOST']}:{where['PORT'] or 5432}/{where['NAME']}"
    )
    lines = "import time; from email_service.retention import purging; run = purging._run\n"
    lines += "def told(*given):\n    print('at', flush=True); time.sleep(0.01); run(*given)\n"
    lines += "purging._run = told\n"
    script = "import django; django.setup()\n" + lines
    script += "from django.core.management import call_command\n"
    script += "call_command('purge_messages', older_than=10, batch=10)\n"
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, "DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "koomessage.settings"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for _ in range(4 * 9 + 2):
        assert process.stdout.readline() == "at\n"

    process.send_signal(signal.SIGKILL)
    process.wait(10)

    assert 200 <= Message.objects.count() <= 210
    check()
    purge()
    assert not Message.objects.exists()
    check()


@pytest.mark.django_db(transaction=True)
def test_two_at_once_remove_each_message_once(acme: Tenant) -> None:
    make_ended_task(acme, copies=30)
    found: list[int] = []

    def run() -> None:
        found.append(purging.purge(timezone.now() - timedelta(days=10), batch=7))
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # What the other one holds is passed over, and left to the next night where that one did not take it.
    assert sum(found) == 180 - Message.objects.count()
    purge()
    assert sum(ClosedCount.objects.values_list("number", flat=True)) == 180
    check()
