# ruff: noqa: T201
"""A console process of its own that submits a task for each line of its input, and says how that was answered.

A line: name of the task, recipient, size of the attachment in octets, the form's submission key.
"""

import gc
import json
import logging
import os
import sys
from pathlib import Path

import django

sys.path.insert(0, str(Path.cwd()))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "koomessage.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.core.files.uploadedfile import SimpleUploadedFile  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402

from email_service.addresses.models import Address  # noqa: E402
from email_service.mail_templates.models import Template  # noqa: E402
from iam.models import Tenant  # noqa: E402
from tests.factories import make_user  # noqa: E402

logging.disable(logging.CRITICAL)
settings.WHITENOISE_AUTOREFRESH = True
tenant = Tenant.objects.get()
visitor = Client(raise_request_exception=False)
visitor.force_login(make_user(tenant, is_main=True), backend="iam.backends.StaffBackend")
fields = {
    "subject": "Hello",
    "address": Address.objects.for_tenant(tenant).values_list("pk", flat=True)[0],
    "template": Template.objects.values_list("pk", flat=True)[0],
    "send_type": "now",
    "source": "manual",
}
print("ready", flush=True)
for line in sys.stdin:
    name, recipient, size, key = line.split()
    form = {**fields, "name": name, "recipients": recipient, "submission_key": key}
    if int(size):
        form["attachments"] = SimpleUploadedFile("notes.txt", b"x" * int(size), "text/plain")
    answer = visitor.post(reverse("email:task_add"), form, HTTP_ORIGIN="http://testserver")
    said = json.dumps([answer.status_code, answer.content.decode()])
    del answer  # holds the request and what it uploaded
    gc.collect()
    print(said, flush=True)
