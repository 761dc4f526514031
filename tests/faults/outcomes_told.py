# ruff: noqa: T201
"""A process that tells what it has written down, and waits for a line after each time.

Argument 1: another PRAGMA synchronous than the product's own, or nothing.
"""

import json
import os
import sys
import uuid
from pathlib import Path

import django

sys.path.insert(0, str(Path.cwd()))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "koomessage.settings")
django.setup()

from django.conf import settings  # noqa: E402

if sys.argv[1]:
    options = settings.DATABASES["default"]["OPTIONS"]
    options["init_command"] += f" PRAGMA synchronous={sys.argv[1]};"

from email_service.mail_templates.models import TemplateVersion  # noqa: E402
from email_service.send_details.models import Message  # noqa: E402
from email_service.send_tasks import dispatch, jobs, recipients, sweep  # noqa: E402
from email_service.send_tasks.models import Task  # noqa: E402
from iam.models import Tenant  # noqa: E402
from tests.email_service.send_tasks.sending import submit  # noqa: E402

jobs.hint = lambda job, *arguments: None


def tell() -> None:
    found = {
        "tasks": Task.objects.count(),
        "delivered": Message.objects.filter(status=Message.Status.DELIVERED).count(),
    }
    print(json.dumps(found), flush=True)
    sys.stdin.readline()


def deliver() -> None:
    for task in sweep.sweep().unread:
        recipients.read(task)
    while dispatch.deliver_batch():
        pass


deliver()
tell()  # outcomes are recorded
for number in range(2):
    version = TemplateVersion.objects.get()
    submit(Tenant.objects.get(), f"late{number}@qq.com", version=version, submission_key=uuid.uuid4())
    if number:
        deliver()
    else:
        tell()  # a submit is answered
tell()
tell()
