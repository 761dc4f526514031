"""Publish every hint there can be, as often as argument 1 says."""

import os
import sys
from pathlib import Path

import django

sys.path.insert(0, str(Path.cwd()))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "koomessage.settings")
django.setup()

from email_service.send_tasks import jobs  # noqa: E402
from email_service.send_tasks.models import Task  # noqa: E402

for _ in range(int(sys.argv[1])):
    jobs.sweep.delay()
    jobs.deliver.delay()
    for task in Task.objects.values_list("pk", flat=True):
        jobs.read_recipients.delay(task)
