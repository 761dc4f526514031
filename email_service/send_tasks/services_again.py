"""What a person decides about a task that has ended: those it failed to reach get the mail again."""

from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from email_service.addresses.models import Address
from email_service.mail_templates.models import Template, TemplateVersion
from email_service.send_details.models import Message
from email_service.send_tasks import jobs, resending, steps
from email_service.send_tasks.models import Attachment, Task
from email_service.setup.models import EmailService
from iam import audit
from iam.models import User
from koomessage.common.codes import short_id
from koomessage.common.errors import Link, RuleViolation

# What the new task shares with the original, as the recipients got it the first time.
_SHARED = (
    "tenant_id", "subject", "template_id", "template_version_id", "template_title", "template_code", "address_id",
    "domain_id", "sender", "sender_alias", "method",
)  # fmt: skip


@transaction.atomic
def resend_failed(task: Task, *, user: User, submission_key: UUID) -> Task:
    """Make a task of the recipients that the ended task failed to reach; a job copies them.

    The same submission_key always answers the same task. Raises RuleViolation where nobody is left to reach, and
    where the mail may not be sent any more.
    """
    # Two presses at once must not both find nothing sent again.
    locked = Task.objects.select_for_update(of=("self",), no_key=True).get(pk=task.pk)
    known = Task.objects.for_tenant(task.tenant).filter(submission_key=submission_key).first()
    if known is not None:
        return known
    refusal = find_obstacle(locked)
    if refusal is not None:
        raise refusal

    again = Task(
        **{name: getattr(locked, name) for name in _SHARED},
        code=_free_code(),
        name=_name_of(locked),
        send_type=Task.SendType.NOW,
        due_at=timezone.now(),
        source=Task.Source.RESEND,
        resend_of=locked,
        submission_key=submission_key,
        created_by=user,
    )
    again.save()
    _share_attachments(locked, again)
    steps.note(again.pk, steps.Kind.SUBMITTED, at=again.created_at, user=user)
    audit.record(
        tenant=again.tenant,
        user=user,
        action="kooMessage:emailSendTask:create",
        target=f"{again.code} {again}",
        resend_of=locked.code,
    )
    jobs.hint_on_commit(jobs.read_recipients, again.pk)
    return again


@transaction.atomic
def note_download(task: Task, *, user: User) -> None:
    """Put on record that the user took the task's recipient file away, with its whole addresses."""
    audit.record(
        tenant=task.tenant,
        user=user,
        action="kooMessage:emailSendDetail:reveal",
        target=f"{task.code} {task}",
        file=task.recipient_file_name,
    )


def find_obstacle(task: Task) -> RuleViolation | None:
    """Return why those the task failed to reach cannot get its mail again, None where nothing is in the way."""
    if task.is_unfinished:
        return RuleViolation(_("This task has not ended. Wait until it has, or cancel the rest."))
    if Message.objects.filter(task=task, status=Message.Status.PENDING).exists():
        return RuleViolation(_("Some of its mails are still on their way. Try again in a moment."))
    if not resending.failed_of(task.pk).exists():
        return RuleViolation(_("No mail of this task failed."))
    if not resending.reachable(task).exists():
        return RuleViolation(_("All recipients that failed are on the suppression list by now."))
    earlier = Task.objects.filter(resend_of=task).exclude(
        Q(status=Task.Status.FAILED) | Q(status=Task.Status.CANCELLED, started_at=None)
    )
    if (other := earlier.order_by("pk").first()) is not None:
        link = Link(other.get_absolute_url(), _("Open the task"), "email_service.view_task", other)
        sentence = _("They get the mail again by another task. What fails there is sent again from its page.")
        return RuleViolation(sentence, link=link)
    service = EmailService.objects.filter(tenant=task.tenant_id).first()
    if service is None or service.paused:
        return RuleViolation(_("Sending is paused for this account. Ask the platform's operator why."))
    usable = Address.objects.for_tenant(task.tenant).usable()
    if task.address_id is None or not usable.filter(pk=task.address_id).exists():
        return RuleViolation(
            _("The sender address is gone, or its domain is not verified any more. Verify the domain first.")
        )
    versions = TemplateVersion.objects.filter(pk=task.template_version_id, status=Template.Status.APPROVED)
    if task.template_id is None or not versions.filter(template__is_deleted=False).exists():
        return RuleViolation(_("The template is gone, or not approved any more. Submit a new task."))
    return None


def _name_of(task: Task) -> str:
    suffix = " · " + gettext("sent again")
    longest = Task._meta.get_field("name").max_length or 64
    return task.name.removesuffix(suffix)[: longest - len(suffix)] + suffix


def _free_code() -> str:
    code = short_id("C")
    while Task.objects.filter(code=code).exists():
        code = short_id("C")
    return code


def _share_attachments(original: Task, again: Task) -> None:
    """Give the new task the same stored files; they are deleted with no task."""
    Attachment.objects.bulk_create(
        Attachment(
            task=again, file=row.file.name, name=row.name, content_type=row.content_type, size=row.size
        )
        for row in original.attachments.order_by("pk")
    )
