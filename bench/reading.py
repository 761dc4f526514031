"""The house that reads a recipient file, one process: `python -m bench.reading`, settings in the environment."""

import os
import uuid
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "koomessage.settings")
django.setup()

from django.core.files import File  # noqa: E402
from django.core.files.uploadedfile import UploadedFile  # noqa: E402

from bench.sides import obey, timed  # noqa: E402
from email_service.models import Message, Task  # noqa: E402
from email_service.send_tasks import judging, recipients  # noqa: E402


def make(file: str, suppressed: str, *parameters: str) -> dict[str, Any]:
    """A task with the file, whose template has these parameters; one address is on the suppression list."""
    from tests.factories import make_email_service, make_tenant, make_transport
    from tests.factories_sending import make_suppression, make_task, make_version

    tenant = make_tenant()
    make_email_service(tenant, transport=make_transport())
    make_suppression(tenant, suppressed)
    body = " ".join("{{" + name + "}}" for name in parameters)
    task = make_task(
        tenant,
        template_version=make_version(tenant, body=body, parameters=list(parameters)),
        source=Task.Source.FILE,
        status=Task.Status.PREPARING,
        is_read=False,
    )
    with Path(file).open("rb") as content:
        # As the form does: what it would refuse is not measured.
        judging.judge_file(
            UploadedFile(content, "recipients.xlsx", size=Path(file).stat().st_size), task.template_version
        )
        content.seek(0)
        task.recipient_file.save(f"{uuid.uuid4().hex}.xlsx", File(content))
    return {"task": task.pk}


def read(task_id: str) -> dict[str, float]:
    return timed(lambda: recipients.read(int(task_id)))


def prove(task_id: str) -> dict[str, Any]:
    """Figures count only if every row became what it had to."""
    task = Task.objects.get(pk=task_id)
    assert task.is_read and task.status == Task.Status.SENDING, (task.status, task.status_reason)
    return {
        "accepted": task.accepted_count,
        "bad": task.bad_count,
        "duplicate": task.duplicate_count,
        "suppressed": task.suppressed_count,
        "messages": Message.objects.filter(task=task, status=Message.Status.PENDING).count(),
    }


if __name__ == "__main__":
    obey({"make": make, "read": read, "prove": prove})
