"""A task's files: into the storage before the task is written, and out of it where the task is not."""

from collections.abc import Sequence
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import PurePath
from typing import TypeVar
from uuid import uuid4

from django.core.files.uploadedfile import UploadedFile

from email_service.send_tasks.models import AttachedFile, Attachment, Task
from email_service.send_tasks.models_check import CheckAttachment, RecipientCheck
from koomessage.common import uploads

Row = TypeVar("Row", bound=AttachedFile)


@dataclass(frozen=True, slots=True)
class Kept:
    """Files that are stored already, those of a check: its task takes them over as they are."""

    check: RecipientCheck
    attachments: tuple[CheckAttachment, ...] = ()

    def give_to(self, task: Task) -> list[Attachment]:
        """Let the task name the files; nothing is saved."""
        if task.source == Task.Source.FILE:
            task.recipient_file.name = self.check.recipient_file.name
            task.recipient_file_name = self.check.recipient_file_name
        return [
            Attachment(file=row.file.name, name=row.name, content_type=row.content_type, size=row.size)
            for row in self.attachments
        ]


def store(
    owner: Task | RecipientCheck,
    file: UploadedFile | None,
    attachments: Sequence[UploadedFile],
    kind: type[Row],
) -> list[Row]:
    """Store what was uploaded under names of ours; neither the owner nor the rows returned are saved.

    Outside of transactions: an object store takes its time. Raises RuleViolation where it takes nothing.
    """
    rows: list[Row] = []
    try:
        if file is not None:
            owner.recipient_file_name = PurePath(file.name or "").name[:255]
            uploads.store(owner.recipient_file, f"{uuid4().hex}.xlsx", file, field="file")
        for upload in attachments:
            row = kind(name=attachment_name(upload), size=upload.size or 0)
            row.content_type = guess_type(row.name)[0] or "application/octet-stream"
            uploads.store(row.file, f"{uuid4().hex}.bin", upload, field="attachments")
            rows.append(row)
    except BaseException:
        discard(owner if file is not None else None, rows)
        raise
    return rows


def discard(owner: Task | RecipientCheck | None, rows: Sequence[AttachedFile]) -> None:
    """Take back the files of a task or check that was not written; without an owner the rows' alone."""
    for stored in ([owner.recipient_file] if owner else []) + [row.file for row in rows]:
        if stored:
            uploads.discard(stored)


def attachment_name(upload: UploadedFile) -> str:
    """Return the file's own name, without folders and control characters."""
    name = PurePath((upload.name or "").replace("\\", "/")).name
    return "".join(char for char in name if char.isprintable())[-255:] or "attachment"
