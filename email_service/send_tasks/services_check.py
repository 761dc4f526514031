"""A recipient file is looked through first, and submitted as what was found."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from billing.costs import forecast
from email_service.addresses.models import Address
from email_service.mail_templates.models import Template
from email_service.send_tasks import checks, jobs, judging, services, storing
from email_service.send_tasks.models import Task
from email_service.send_tasks.models_check import CheckAttachment, CheckedBlock, RecipientCheck
from iam.models import Tenant, User
from koomessage.common import uploads
from koomessage.common.errors import RuleViolation

# What the form says; everything else of a check is its reader's.
FORM_FIELDS = (
    "name", "subject", "template", "address", "send_type", "due_at", "created_by", "changed_at",
)  # fmt: skip


def take_form(
    *,
    tenant: Tenant,
    user: User,
    submission_key: UUID,
    source: str,
    file: UploadedFile | None,
    attachments: Sequence[UploadedFile],
    drops_attachments: bool,
    recipients: Sequence[str],
    **fields: Any,
) -> Task | RecipientCheck:
    """Submit a task to typed recipients at once; keep one with a file as a check, which its page submits.

    A check with the same key becomes what the form says now; files that were not chosen anew are kept. Raises
    RuleViolation where the task would be refused.
    """
    known = Task.objects.for_tenant(tenant).filter(submission_key=submission_key).first()
    if known is not None:
        return known
    former = RecipientCheck.objects.for_tenant(tenant).filter(submission_key=submission_key).first()
    replaced = drops_attachments or bool(attachments)
    kept = tuple(former.attachments.all()) if former and not replaced else ()
    if source != Task.Source.FILE:
        return services.submit_task(
            tenant=tenant, user=user, submission_key=submission_key, source=source, recipients=recipients,
            attachments=attachments, kept=storing.Kept(former, kept) if former else None, **fields,
        )  # fmt: skip
    check = _judged(former or RecipientCheck(tenant=tenant, submission_key=submission_key), file, **fields)
    judging.judge_attachments(attachments, kept)
    check.created_by = user
    stored = storing.store(check, file, attachments, CheckAttachment)
    try:
        return _write(check, stored, replaced=replaced, is_new_file=file is not None)
    except IntegrityError:
        # The same form was posted twice at once: the other request's check is the answer.
        storing.discard(check if file else None, stored)
        return RecipientCheck.objects.for_tenant(tenant).get(submission_key=submission_key)


def _judged(
    check: RecipientCheck,
    file: UploadedFile | None,
    *,
    name: str,
    subject: str,
    template: Template,
    address: Address,
    send_type: str,
    due_at: datetime | None,
) -> RecipientCheck:
    """Judge the form as the submit will, and return the check with its values."""
    judging.judge_service(check.tenant)
    version = judging.sendable_version(check.tenant, template)
    judging.judge_sender(check.tenant, address)
    judging.judge_subject(subject, version)
    judging.due(send_type, due_at)
    if file is not None or not check.recipient_file:
        judging.judge_file(file, version)
    is_read_anew = file is not None or check.template_version_id != version.pk or _is_old(check)
    check.name, check.subject = name, subject
    check.template, check.template_version, check.address = template, version, address
    check.send_type, check.due_at = send_type, due_at if send_type == Task.SendType.SCHEDULED else None
    if is_read_anew or check.state == RecipientCheck.State.FAILED:
        checks.begin_anew(check)
    return check


@transaction.atomic
def _write(
    check: RecipientCheck, stored: list[CheckAttachment], *, replaced: bool, is_new_file: bool
) -> RecipientCheck:
    check.changed_at = timezone.now()
    former: list[Any] = []
    if check.pk:
        held = RecipientCheck.objects.select_for_update(of=("self",)).get(pk=check.pk)
        if held.task_id:
            transaction.on_commit(lambda: storing.discard(check if is_new_file else None, stored))
            return held
        if is_new_file:
            former.append(held.recipient_file)
        # A reader may have moved on meanwhile; where it begins anew its turn is over.
        check.turn = held.turn + 1
    if check.pk and check.state != RecipientCheck.State.WAITING:
        check.save(update_fields=FORM_FIELDS)
    else:
        check.save()
    if replaced:
        former += [row.file for row in check.attachments.all()]
        check.attachments.all().delete()
    for row in stored:
        row.check_of = check
        row.save()
    for file in former:
        transaction.on_commit(lambda file=file: uploads.discard(file))  # type: ignore[misc]
    if check.is_moving:
        jobs.hint_on_commit(jobs.check_recipients, check.pk)
    return check


@transaction.atomic
def submit_check(check: RecipientCheck, *, user: User, leaves_out: bool) -> Task | None:
    """Submit what was checked; None where the file must be checked anew first, which then begins.

    However often it is asked for, the answer is one task. Raises RuleViolation where rows are bad and it was not
    said that they are left out, where units would not do, and where a task would be refused.
    """
    check = RecipientCheck.objects.select_for_update(of=("self",)).get(pk=check.pk)
    if check.task is not None:
        return check.task
    if check.is_moving:
        raise RuleViolation(_("The file is still being read. Wait until it is checked."))
    template, address = check.template, check.address
    if template is None or address is None:
        raise RuleViolation(_("The template or the sender was deleted meanwhile. Go back to the form."))
    version = judging.sendable_version(check.tenant, template)
    if version.pk != check.template_version_id or _is_old(check):
        check.template_version = version
        checks.begin_anew(check)
        check.save()
        jobs.hint_on_commit(jobs.check_recipients, check.pk)
        return None
    if check.state != RecipientCheck.State.DONE or not check.good_count:
        raise RuleViolation(
            _("No row of this file can be sent to. Go back to the form and choose another file.")
        )
    if check.left_out and not leaves_out:
        raise RuleViolation(_("Confirm that the other rows are left out."), field="leaves_out")
    if refusal := forecast(check.tenant, check.good_count).refusal:
        raise RuleViolation(refusal)
    task = services.submit_task(
        tenant=check.tenant,
        user=user,
        name=check.name,
        subject=check.subject,
        template=template,
        address=address,
        submission_key=check.submission_key,
        send_type=check.send_type,
        due_at=check.due_at,
        source=Task.Source.FILE,
        kept=storing.Kept(check, tuple(check.attachments.all())),
    )
    CheckedBlock.objects.filter(check_of=check).delete()
    RecipientCheck.objects.filter(pk=check.pk).update(task=task, changed_at=timezone.now())
    return task


def _is_old(check: RecipientCheck) -> bool:
    fresh = timedelta(hours=settings.CHECK_FRESH_HOURS)
    return check.finished_at is not None and check.finished_at < timezone.now() - fresh
