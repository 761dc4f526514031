# ruff: noqa: T201
"""A console process of its own: posts tasks through the form, one after the other, and says how each was answered.

Argument 1: how many; 2: seconds between them. The first line is printed once it is loaded.
"""

import json
import os
import sys
import time
import uuid
from pathlib import Path

import django

sys.path.insert(0, str(Path.cwd()))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "koomessage.settings")
django.setup()

from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402

from email_service.addresses.models import Address  # noqa: E402
from email_service.mail_templates.models import Template  # noqa: E402
from iam.models import Tenant  # noqa: E402
from tests.factories import make_user  # noqa: E402

tenant = Tenant.objects.get()
visitor = Client()
visitor.force_login(make_user(tenant, is_main=True), backend="iam.backends.StaffBackend")
fields = {
    "name": "Spring",
    "subject": "Hello",
    "address": Address.objects.for_tenant(tenant).values_list("pk", flat=True)[0],
    "template": Template.objects.values_list("pk", flat=True)[0],
    "send_type": "now",
    "source": "manual",
}
print("ready", flush=True)
answers = []
for number in range(int(sys.argv[1])):
    form = {**fields, "recipients": f"w{number}@qq.com", "submission_key": str(uuid.uuid4())}
    began = time.monotonic()
    status = visitor.post(reverse("email:task_add"), form).status_code
    answers.append([status, round(time.monotonic() - began, 3)])
    time.sleep(float(sys.argv[2]))
print(json.dumps(answers))
