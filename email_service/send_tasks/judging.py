"""What a send task must be to be taken: each rule refuses with the field it belongs to."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import IO

from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from email_service.addresses.models import Address
from email_service.mail_templates import rendering
from email_service.mail_templates.models import Template, TemplateVersion
from email_service.send_tasks import columns, limits, recipient_rows
from email_service.send_tasks.models import AttachedFile, Task
from email_service.setup.models import EmailService
from iam.models import Tenant
from koomessage.common import spreadsheet_head, spreadsheets
from koomessage.common.errors import RuleViolation
from koomessage.common.mailbox import BadAddress, normalise

FILE_TOO_LARGE = _("The recipient file is larger than 40 MB. Split it into several files.")


def judge_service(tenant: Tenant) -> None:
    service = EmailService.objects.filter(tenant=tenant).first()
    if service is None or service.paused:
        raise RuleViolation(_("Sending is paused for this account. Ask the platform's operator why."))


def sendable_version(tenant: Tenant, template: Template | None) -> TemplateVersion:
    sendable = Template.objects.sendable_by(tenant).select_related("version__template")
    row = sendable.filter(pk=template.pk).first() if template else None
    if row is None or row.version is None or row.version.status != Template.Status.APPROVED:
        raise RuleViolation(_("Choose an approved template."), field="template")
    return row.version


def judge_sender(tenant: Tenant, address: Address) -> None:
    if not Address.objects.for_tenant(tenant).usable().filter(pk=address.pk).exists():
        raise RuleViolation(_("Choose a sender address whose domain is verified."), field="address")


def judge_subject(subject: str, version: TemplateVersion) -> None:
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


def judge_attachments(attachments: Sequence[UploadedFile], kept: Sequence[AttachedFile] = ()) -> None:
    """Judge the files uploaded now, together with those that are stored already."""
    if len(attachments) + len(kept) > limits.MAX_ATTACHMENTS:
        raise RuleViolation(_("Attach at most 10 files."), field="attachments")
    size = sum(upload.size or 0 for upload in attachments) + sum(row.size for row in kept)
    if size > limits.MAX_ATTACHED_BYTES:
        raise RuleViolation(_("The attachments are larger than 4 MB in total."), field="attachments")


def due(send_type: str, due_at: datetime | None) -> datetime:
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


def typed_rows(
    addresses: Sequence[str], version: TemplateVersion, values: Mapping[str, str]
) -> list[recipient_rows.Row]:
    if not all(values.get(name) for name in version.parameters):
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
    filled_in = tuple(values[name] for name in version.parameters)
    return [(number, address, filled_in) for number, address in enumerate(found.values(), start=1)]


def judge_file(file: UploadedFile | None, version: TemplateVersion) -> None:
    """Look at the file's size, kind and first rows; raises RuleViolation saying what to do."""
    if file is None:
        raise RuleViolation(_("Upload the recipient file."), field="file")
    if (file.size or 0) > limits.MAX_FILE_BYTES:
        raise RuleViolation(FILE_TOO_LARGE, field="file")
    judge_head(file, version)
    file.seek(0)


def judge_head(file: IO[bytes], version: TemplateVersion) -> None:
    """Look at the file's kind and first rows, whatever its size."""
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
