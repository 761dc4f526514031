"""What a person decides about a send task."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from email_service.addresses.models import Address
from email_service.mail_templates.models import Template, TemplateVersion
from email_service.send_details import outcomes
from email_service.send_tasks import (
    jobs,
    judging,
    progress,
    reasons,
    recipient_rows,
    recipients,
    steps,
    storing,
)
from email_service.send_tasks.models import Attachment, Task
from iam import audit
from iam.models import Tenant, User
from koomessage.common.codes import short_id
from koomessage.common.errors import RuleViolation


def submit_task(
    *,
    tenant: Tenant,
    user: User | None,
    name: str,
    subject: str,
    template: Template | None,
    address: Address,
    submission_key: UUID,
    send_type: str = Task.SendType.NOW,
    due_at: datetime | None = None,
    source: str = Task.Source.MANUAL,
    recipients: Sequence[str] = (),
    file: UploadedFile | None = None,
    attachments: Sequence[UploadedFile] = (),
    method: str = Task.Method.CONSOLE,
    hidden: TemplateVersion | None = None,
    kept: storing.Kept | None = None,
    test_values: Mapping[str, str] | None = None,
) -> Task:
    """Write down what is to be sent, to whom and when; the same submission_key always answers the same task.

    `hidden` is a text of the platform's own, sent where there is no template; `kept` are files of a check, its
    recipient file judged already. `test_values` make it a test mail: the values, by parameter, that its typed
    recipient gets.
    Units of typed recipients are reserved at once, those of a file as its rows are read. Raises
    RuleViolation, with the field it belongs to, when a rule of the product forbids it.
    """
    known = Task.objects.for_tenant(tenant).filter(submission_key=submission_key).first()
    if known is not None:
        return known
    judging.judge_service(tenant)
    version = hidden or judging.sendable_version(tenant, template)
    judging.judge_sender(tenant, address)
    judging.judge_subject(subject, version)
    judging.judge_attachments(attachments, kept.attachments if kept else ())
    due = judging.due(send_type, due_at)
    typed = judging.typed_rows(recipients, version, test_values or {}) if source == Task.Source.MANUAL else []
    if source == Task.Source.FILE and kept is None:
        judging.judge_file(file, version)

    task = Task(
        tenant=tenant,
        name=name,
        subject=subject,
        template=template,
        template_version=version,
        template_title=version.title,
        template_code=version.template.code,
        address=address,
        domain=address.domain,
        sender=address.address,
        sender_alias=address.alias,
        method=method,
        send_type=send_type,
        due_at=due,
        source=source,
        typed_recipients=list(recipients) if source == Task.Source.MANUAL else [],
        submission_key=submission_key,
        created_by=user,
        is_test=test_values is not None,
    )
    ours = kept is None and source == Task.Source.FILE
    stored = storing.store(task, file if ours else None, attachments, Attachment)
    files = [*(kept.give_to(task) if kept else ()), *stored]
    try:
        return _write(task, user, typed, files)
    except IntegrityError:
        storing.discard(task if ours else None, stored)
        # The same form was posted twice at once: the other request's task is the answer.
        other = Task.objects.for_tenant(tenant).filter(submission_key=submission_key).first()
        if other is None:
            raise
        return other
    except RuleViolation:
        # After other errors nobody knows whether the task was committed: its files stay.
        storing.discard(task if ours else None, stored)
        raise


@transaction.atomic
def _write(task: Task, user: User | None, typed: list[recipient_rows.Row], files: list[Attachment]) -> Task:
    task.code = short_id("C")
    while Task.objects.filter(code=task.code).exists():
        task.code = short_id("C")
    task.save()
    for row in files:
        row.task = task
        row.save()
    steps.note(task.pk, steps.Kind.SUBMITTED, at=task.created_at, user=user)
    if task.source == Task.Source.MANUAL:
        _accept_typed(task, typed)
        jobs.hint_on_commit(jobs.deliver)
    else:
        jobs.hint_on_commit(jobs.read_recipients, task.pk)
    audit.record(
        tenant=task.tenant, user=user, action="kooMessage:emailSendTask:create", target=f"{task.code} {task}"
    )
    return task


def _accept_typed(task: Task, typed: list[recipient_rows.Row]) -> None:
    """Write the messages of typed recipients, in the transaction of the submit."""
    now = timezone.now()
    is_due = task.due_at <= now
    written = recipients.write(task, recipients.judge(typed), accepted_at=task.due_at)
    if not written:
        raise RuleViolation(_("All of these recipients are on the suppression list."), field="recipients")
    Task.objects.filter(pk=task.pk).update(
        is_read=True,
        status=Task.Status.SENDING if is_due else Task.Status.SCHEDULED,
        started_at=now if is_due else None,
    )
    if is_due:
        steps.note(task.pk, steps.Kind.STARTED, at=now)
    task.refresh_from_db()


@transaction.atomic
def cancel_task(task: Task, *, user: User | None) -> None:
    """Cancel a task none of which was sent: wholly, or with RuleViolation not at all; twice is once."""
    now = timezone.now()
    before = Task.objects.filter(pk=task.pk, status__in=(Task.Status.PREPARING, Task.Status.SCHEDULED))
    if not before.update(status=Task.Status.CANCELLED, finished_at=now):
        if Task.objects.filter(pk=task.pk, status=Task.Status.CANCELLED, started_at=None).exists():
            return
        raise RuleViolation(_("Sending has begun; this task can no longer be cancelled as a whole."))
    _cancelled(task, user, now)


@transaction.atomic
def cancel_rest(task: Task, *, user: User | None) -> None:
    """Cancel what no worker has taken of a task that is being sent; what was handed over stays sent."""
    now = timezone.now()
    running = (Task.Status.SENDING, Task.Status.PAUSED, Task.Status.QUOTA_PAUSED)
    if not Task.objects.filter(pk=task.pk, status__in=running).update(
        status=Task.Status.CANCELLED, finished_at=now
    ):
        raise RuleViolation(_("This task is not being sent."))
    _cancelled(task, user, now)


def _cancelled(task: Task, user: User | None, now: datetime) -> None:
    steps.note(task.pk, steps.Kind.CANCELLED, at=now, user=user)
    outcomes.cancel_pending(task, now=now)
    progress.refresh(task.pk)
    audit.record(
        tenant=task.tenant, user=user, action="kooMessage:emailSendTask:cancel", target=f"{task.code} {task}"
    )


@transaction.atomic
def pause_task(task: Task, *, user: User) -> None:
    """Stop a running task after what workers hold now; it keeps its place. One that is paused stays so."""
    reason = reasons.keep("by_hand", user.name)
    running = (Task.Status.SENDING,)
    if not progress.move(task.pk, Task.Status.PAUSED, reason=reason, only_from=running, user=user):
        if progress.is_now(task.pk, Task.Status.PAUSED):
            return
        raise RuleViolation(_("This task is not being sent."))
    audit.record(
        tenant=task.tenant, user=user, action="kooMessage:emailSendTask:update", target=f"{task.code} {task}"
    )


@transaction.atomic
def resume_task(task: Task, *, user: User) -> None:
    """Send on a paused task; one that is being sent goes on."""
    if not progress.move(task.pk, Task.Status.SENDING, only_from=(Task.Status.PAUSED,), user=user):
        if progress.is_now(task.pk, Task.Status.SENDING):
            return
        raise RuleViolation(_("This task is not paused."))
    Task.objects.filter(pk=task.pk, started_at=None).update(started_at=timezone.now())
    audit.record(
        tenant=task.tenant, user=user, action="kooMessage:emailSendTask:update", target=f"{task.code} {task}"
    )
    jobs.hint_on_commit(jobs.deliver)
