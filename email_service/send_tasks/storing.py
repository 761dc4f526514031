"""A task's files: into the storage before the task is written, and out of it where the task is not."""

from collections.abc import Sequence
from mimetypes import guess_type
from pathlib import PurePath
from uuid import uuid4

from django.core.files.uploadedfile import UploadedFile

from email_service.send_tasks.models import Attachment, Task
from koomessage.common import uploads


def store(task: Task, file: UploadedFile | None, attachments: Sequence[UploadedFile]) -> list[Attachment]:
    """Store what was uploaded under names of ours; neither the task nor the rows returned are saved.

    Outside of transactions: an object store takes its time. Raises RuleViolation where it takes nothing.
    """
    rows: list[Attachment] = []
    try:
        if file is not None:
            task.recipient_file_name = PurePath(file.name or "").name[:255]
            uploads.store(task.recipient_file, f"{uuid4().hex}.xlsx", file, field="file")
        for upload in attachments:
            row = Attachment(task=task, name=attachment_name(upload), size=upload.size or 0)
            row.content_type = guess_type(row.name)[0] or "application/octet-stream"
            uploads.store(row.file, f"{uuid4().hex}.bin", upload, field="attachments")
            rows.append(row)
    except BaseException:
        discard(task, rows)
        raise
    return rows


def discard(task: Task, rows: Sequence[Attachment]) -> None:
    """Take back the files of a task that was not written."""
    for stored in (task.recipient_file, *(row.file for row in rows)):
        if stored:
            uploads.discard(stored)


def attachment_name(upload: UploadedFile) -> str:
    """Return the file's own name, without folders and control characters."""
    name = PurePath((upload.name or "").replace("\\", "/")).name
    return "".join(char for char in name if char.isprintable())[-255:] or "attachment"
