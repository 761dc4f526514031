"""What a person decides about a send task."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from email_service.addresses.models import Address
from email_service.mail_templates import rendering
from email_service.mail_templates.models import Template, TemplateVersion
from email_service.send_details import outcomes
from email_service.send_tasks import columns, jobs, limits, progress, reasons, recipients, storing
from email_service.send_tasks.models import Attachment, Task
from email_service.setup.models import EmailService
from iam import audit
from iam.models import Tenant, User
from koomessage.common import spreadsheet_head, spreadsheets
from koomessage.common.codes import short_id
from koomessage.common.errors import RuleViolation
from koomessage.common.mailbox import BadAddress, normalise


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
) -> Task:
    """Write down what is to be sent, to whom and when; the same submission_key always answers the same task.

    `hidden` is a text of the platform's own, sent where there is no template.
    Units of typed recipients are reserved at once, those of a file as its rows are read. Raises
    RuleViolation, with the field it belongs to, when a rule of the product forbids it.
    """
    known = Task.objects.for_tenant(tenant).filter(submission_key=submission_key).first()
    if known is not None:
        return known
    _judge_service(tenant)
    version = hidden or _sendable_version(tenant, template)
    _judge_sender(tenant, address)
    _judge_subject(subject, version)
    _judge_attachments(attachments)
    due = _due(send_type, due_at)
    typed = _typed_rows(recipients, version) if source == Task.Source.MANUAL else []
    if source == Task.Source.FILE:
        judge_file(file, version)

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
    )
    files = storing.store(task, file if source == Task.Source.FILE else None, attachments)
    try:
        return _write(task, user, typed, files)
    except IntegrityError:
        storing.discard(task, files)
        # The same form was posted twice at once: the other request's task is the answer.
        other = Task.objects.for_tenant(tenant).filter(submission_key=submission_key).first()
        if other is None:
            raise
        return other
    except RuleViolation:
        # After other errors nobody knows whether the task was committed: its files stay.
        storing.discard(task, files)
        raise


@transaction.atomic
def _write(task: Task, user: User | None, typed: list[recipients.Row], files: list[Attachment]) -> Task:
    task.code = short_id("C")
    while Task.objects.filter(code=task.code).exists():
        task.code = short_id("C")
    task.save()
    for row in files:
        row.task = task
        row.save()
    if task.source == Task.Source.MANUAL:
        _accept_typed(task, typed)
        jobs.hint_on_commit(jobs.deliver)
    else:
        jobs.hint_on_commit(jobs.read_recipients, task.pk)
    audit.record(
        tenant=task.tenant, user=user, action="kooMessage:emailSendTask:create", target=f"{task.code} {task}"
    )
    return task


def _accept_typed(task: Task, typed: list[recipients.Row]) -> None:
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
    task.refresh_from_db()


def _judge_service(tenant: Tenant) -> None:
    service = EmailService.objects.filter(tenant=tenant).first()
    if service is None or service.paused:
        raise RuleViolation(_("Sending is paused for this account. Ask the platform's operator why."))


def _sendable_version(tenant: Tenant, template: Template | None) -> TemplateVersion:
    sendable = Template.objects.sendable_by(tenant).select_related("version__template")
    row = sendable.filter(pk=template.pk).first() if template else None
    if row is None or row.version is None or row.version.status != Template.Status.APPROVED:
        raise RuleViolation(_("Choose an approved template."), field="template")
    return row.version


def _judge_sender(tenant: Tenant, address: Address) -> None:
    if not Address.objects.for_tenant(tenant).usable().filter(pk=address.pk).exists():
        raise RuleViolation(_("Choose a sender address whose domain is verified."), field="address")


def _judge_subject(subject: str, version: TemplateVersion) -> None:
    try:
        names = rendering.find_parameters(subject)
    except RuleViolation as refusal:
        raise RuleViolation(refusal.message, field="subject") from refusal
    unknown = [name for name in names if name not in version.parameters]
    if unknown:
        sentence = _(
            "The template has no parameter {names}; the subject may only hold the template's parameters."
        )
        names_text = ", ".join("{{" + name + "}}" for name in unknown)
        raise RuleViolation(format_lazy(sentence, names=names_text), field="subject")


def _judge_attachments(attachments: Sequence[UploadedFile]) -> None:
    if len(attachments) > limits.MAX_ATTACHMENTS:
        raise RuleViolation(_("Attach at most 10 files."), field="attachments")
    if sum(upload.size or 0 for upload in attachments) > limits.MAX_ATTACHED_BYTES:
        raise RuleViolation(_("The attachments are larger than 4 MB in total."), field="attachments")


def _due(send_type: str, due_at: datetime | None) -> datetime:
    now = timezone.now()
    if send_type != Task.SendType.SCHEDULED:
        return now
    if due_at is None:
        raise RuleViolation(_("Choose when to send."), field="due_at")
    if due_at <= now:
        raise RuleViolation(_("This time is past; choose a later one."), field="due_at")
    if due_at > now + timedelta(days=limits.MOST_DAYS_AHEAD):
        raise RuleViolation(_("Choose a time within one year."), field="due_at")
    return due_at


def _typed_rows(addresses: Sequence[str], version: TemplateVersion) -> list[recipients.Row]:
    if version.parameters:
        sentence = _("This template has parameters; upload a file that holds their values.")
        raise RuleViolation(sentence, field="source")
    if not addresses:
        raise RuleViolation(_("Enter at least one recipient."), field="recipients")
    found: dict[str, str] = {}
    for text in addresses:
        try:
            mailbox = normalise(text)
        except BadAddress as error:
            raise RuleViolation(
                format_lazy(_("“{text}” is not an e-mail address."), text=text), field="recipients"
            ) from error
        found.setdefault(mailbox.key, mailbox.address)
    if len(found) > limits.MAX_TYPED:
        raise RuleViolation(_("Enter at most 10 recipients, or upload a file."), field="recipients")
    return [(number, address, ()) for number, address in enumerate(found.values(), start=1)]


def judge_file(file: UploadedFile | None, version: TemplateVersion) -> None:
    """Look at the file's size, kind and first rows; raises RuleViolation saying what to do."""
    if file is None:
        raise RuleViolation(_("Upload the recipient file."), field="file")
    if (file.size or 0) > limits.MAX_FILE_BYTES:
        raise RuleViolation(
            _("The recipient file is larger than 40 MB. Split it into several files."), field="file"
        )
    try:
        rows = spreadsheet_head.first_rows(spreadsheets.check_directory(file))
        if not rows:
            raise spreadsheets.BadSpreadsheet(
                _("The first sheet is empty. Download the sample file, fill it in and upload that.")
            )
        columns.match(rows[0], version.parameters)
        if len(rows) < 2:
            raise spreadsheets.BadSpreadsheet(
                _("The first sheet has no row below its header; add the recipients.")
            )
    except (spreadsheets.BadSpreadsheet, columns.BadHeader) as problem:
        raise RuleViolation(problem.message, field="file") from problem
    file.seek(0)


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
    outcomes.cancel_pending(task, now=now)
    progress.refresh(task.pk)
    audit.record(
        tenant=task.tenant, user=user, action="kooMessage:emailSendTask:cancel", target=f"{task.code} {task}"
    )


@transaction.atomic
def pause_task(task: Task, *, user: User) -> None:
    """Stop a running task after what workers hold now; it keeps its place. One that is paused stays so."""
    reason = reasons.keep("by_hand", user.name)
    if not progress.move(task.pk, Task.Status.PAUSED, reason=reason, only_from=(Task.Status.SENDING,)):
        if progress.is_now(task.pk, Task.Status.PAUSED):
            return
        raise RuleViolation(_("This task is not being sent."))
    audit.record(
        tenant=task.tenant, user=user, action="kooMessage:emailSendTask:update", target=f"{task.code} {task}"
    )


@transaction.atomic
def resume_task(task: Task, *, user: User) -> None:
    """Send on a paused task; one that is being sent goes on."""
    if not progress.move(task.pk, Task.Status.SENDING, only_from=(Task.Status.PAUSED,)):
        if progress.is_now(task.pk, Task.Status.SENDING):
            return
        raise RuleViolation(_("This task is not paused."))
    Task.objects.filter(pk=task.pk, started_at=None).update(started_at=timezone.now())
    audit.record(
        tenant=task.tenant, user=user, action="kooMessage:emailSendTask:update", target=f"{task.code} {task}"
    )
    jobs.hint_on_commit(jobs.deliver)
