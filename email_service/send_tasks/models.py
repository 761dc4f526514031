"""Send tasks: what a tenant sends, to whom, when; and the claims under which workers hold messages."""

from typing import Self

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from email_service.send_tasks import reasons
from koomessage.common.models import TenantOwned, TenantQuerySet


class TaskQuerySet(TenantQuerySet):
    def unfinished(self) -> Self:
        return self.exclude(status__in=Task.ENDED)


class Task(TenantOwned):
    class Status(models.TextChoices):
        PREPARING = "preparing", _("Preparing")
        SCHEDULED = "scheduled", _("Scheduled")
        SENDING = "sending", _("Sending")
        PAUSED = "paused", _("Paused")
        QUOTA_PAUSED = "quota_paused", _("Paused for quota")
        FINISHED = "finished", _("Finished")
        CANCELLED = "cancelled", _("Cancelled")
        FAILED = "failed", _("Sending failed")

    class SendType(models.TextChoices):
        NOW = "now", _("Send now")
        SCHEDULED = "scheduled", _("Send on schedule")

    class Method(models.TextChoices):
        CONSOLE = "console", _("Console")
        API = "api", "API"
        SMTP = "smtp", "SMTP"

    class Source(models.TextChoices):
        MANUAL = "manual", _("Enter by hand")
        FILE = "file", _("Upload a file")
        RESEND = "resend", _("Those another task failed to reach")

    # Of the sources, those that the form offers.
    OFFERED = ((Source.MANUAL, Source.MANUAL.label), (Source.FILE, Source.FILE.label))
    # Every other state is unfinished, those of a later version, too.
    ENDED = (Status.FINISHED, Status.CANCELLED, Status.FAILED)
    # The only moves between states; services and dispatch apply them with one conditional UPDATE.
    MOVES: dict[str, tuple[str, ...]] = {
        Status.PREPARING: (Status.SCHEDULED, Status.SENDING, Status.CANCELLED, Status.FAILED),
        Status.SCHEDULED: (Status.SENDING, Status.PAUSED, Status.CANCELLED, Status.QUOTA_PAUSED),
        Status.SENDING: (
            Status.PAUSED,
            Status.QUOTA_PAUSED,
            Status.FINISHED,
            Status.CANCELLED,
            Status.FAILED,
        ),
        Status.PAUSED: (Status.SENDING, Status.CANCELLED),
        Status.QUOTA_PAUSED: (Status.SENDING, Status.CANCELLED),
        Status.FINISHED: (),
        Status.CANCELLED: (),
        Status.FAILED: (),
    }

    code = models.CharField(_("task ID"), max_length=12, unique=True)
    name = models.CharField(_("task name"), max_length=64)
    subject = models.CharField(_("subject"), max_length=200)
    template = models.ForeignKey(
        "email_service.Template",
        verbose_name=_("template"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="tasks",
    )
    template_version = models.ForeignKey(
        "email_service.TemplateVersion", on_delete=models.PROTECT, related_name="tasks"
    )
    address = models.ForeignKey(
        "email_service.Address",
        verbose_name=_("sender"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="tasks",
    )
    domain = models.ForeignKey(
        "email_service.Domain", null=True, on_delete=models.SET_NULL, related_name="tasks"
    )
    # As they were at submit: what is deleted or renamed later changes nothing here.
    sender = models.CharField(_("sender"), max_length=131)
    sender_alias = models.CharField(max_length=64, blank=True)
    template_title = models.CharField(max_length=64)
    template_code = models.CharField(max_length=12)
    method = models.CharField(_("method"), max_length=8, choices=Method, default=Method.CONSOLE)
    send_type = models.CharField(_("send type"), max_length=10, choices=SendType)
    due_at = models.DateTimeField(_("due"))
    source = models.CharField(_("recipients"), max_length=8, choices=Source)
    typed_recipients = models.JSONField(default=list)
    recipient_file = models.FileField(upload_to="recipients/%Y/%m/", blank=True)
    recipient_file_name = models.CharField(max_length=255, blank=True)
    resend_of = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="resends")
    # The original's last message that was copied: where copying resumes.
    copied_through = models.BigIntegerField(default=0, db_default=0)
    status = models.CharField(_("task status"), max_length=12, choices=Status, default=Status.PREPARING)
    status_reason = models.CharField(max_length=500, blank=True)
    submission_key = models.UUIDField()  # one form, one task, however often it is posted
    is_test = models.BooleanField(default=False, db_default=False)  # a test mail to the user who made it
    created_by = models.ForeignKey("iam.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    served_at = models.DateTimeField(
        null=True
    )  # when a worker last took a batch of it: the least served goes first
    # Recipients: rows read so far (where reading resumes), and what became of them.
    rows_read = models.PositiveIntegerField(default=0)
    is_read = models.BooleanField(default=False)
    reading_until = models.DateTimeField(null=True)  # lease of the worker that reads the file
    accepted_count = models.PositiveIntegerField(default=0)  # messages written
    bad_count = models.PositiveIntegerField(default=0)
    duplicate_count = models.PositiveIntegerField(default=0)
    suppressed_count = models.PositiveIntegerField(default=0)
    # Messages by status, refreshed from rows by `progress`; never added to.
    delivered_count = models.PositiveIntegerField(default=0)
    failed_count = models.PositiveIntegerField(default=0)
    rejected_count = models.PositiveIntegerField(default=0)
    pending_count = models.PositiveIntegerField(default=0)
    cancelled_count = models.PositiveIntegerField(default=0)

    objects = TaskQuerySet.as_manager()

    class Meta:
        verbose_name = _("send task")
        verbose_name_plural = _("send tasks")
        default_permissions = ("list", "view", "add", "change", "delete", "cancel")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "submission_key"], name="submission_once_a_tenant"),
        ]
        indexes = [
            models.Index(fields=["tenant", "-created_at", "-id"], name="task_by_tenant"),
            models.Index(fields=["status", "due_at"], name="task_by_status"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("email:task_detail", args=[self.pk])

    @property
    def is_unfinished(self) -> bool:
        return self.status not in self.ENDED

    @property
    def is_late(self) -> bool:
        """True where its hour passed while nothing ran, and somebody must say whether it is still wanted."""
        return self.status == self.Status.PAUSED and self.status_reason == reasons.LATE

    @property
    def needs_decision(self) -> bool:
        return self.status == self.Status.PAUSED and self.status_reason in reasons.NEED_DECISION

    @property
    def ended_count(self) -> int:
        """How many of its messages have an end."""
        return self.accepted_count - self.pending_count


class AttachedFile(models.Model):
    """A stored file that goes with mails, under the name it was uploaded by."""

    file = models.FileField(upload_to="attachments/%Y/%m/")
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=127)
    size = models.PositiveIntegerField()

    class Meta:
        abstract = True


class Attachment(AttachedFile):
    """A file sent with every mail of a task."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="attachments")

    def __str__(self) -> str:
        return self.name


class RejectedRow(models.Model):
    """A row of a recipient file that became no message, and why."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="rejected_rows")
    row_number = models.PositiveIntegerField()
    value = models.CharField(max_length=320)
    reason = models.CharField(max_length=24)  # a key of recipients.REASONS

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "row_number"], name="rejected_row_once")]

    def __str__(self) -> str:
        return f"{self.row_number} {self.reason}"


class Claim(models.Model):
    """The lease of one worker on the messages that carry its token; tokens only grow."""

    token = models.BigIntegerField(primary_key=True)
    worker = models.CharField(max_length=100)  # name of the worker's journal
    host = models.CharField(max_length=255)
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="+")
    lease_until = models.DateTimeField(db_index=True)
    warmup_day = models.DateField(null=True)  # whose ceiling its messages were counted against

    def __str__(self) -> str:
        return str(self.token)


class ClaimCounter(models.Model):
    """One row: the highest claim token given out."""

    value = models.BigIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True)  # when it last grew

    def __str__(self) -> str:
        return str(self.value)


class Meter(models.Model):
    """What is left now of a limit: tokens for each, and for a sending domain what of its day is used.

    Shared by all workers; a row is locked after the task and before the counter of claims.
    """

    class Kind(models.TextChoices):
        TENANT = "tenant", _("Account")
        SENDER = "sender", _("Sending domain")
        DESTINATION = "destination", _("Destination")

    kind = models.CharField(max_length=11, choices=Kind)
    key = models.CharField(max_length=280)  # account's number, "number:domain", domain
    tokens = models.FloatField()
    filled_at = models.DateTimeField()
    day = models.DateField()
    used = models.PositiveIntegerField(default=0)  # on that day

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="meter_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
