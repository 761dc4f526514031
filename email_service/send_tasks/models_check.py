"""A recipient file looked through before its task is submitted: the form's values, and what the file holds."""

from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from email_service.send_tasks.models import AttachedFile, Task
from koomessage.common.models import TenantOwned, TenantQuerySet


class RecipientCheckQuerySet(TenantQuerySet):
    def unread(self) -> Self:
        return self.filter(state__in=(RecipientCheck.State.WAITING, RecipientCheck.State.READING))

    def expired(self) -> Self:
        """Keep those that nobody changed or submitted for CHECK_KEPT_DAYS."""
        return self.filter(changed_at__lt=timezone.now() - timedelta(days=settings.CHECK_KEPT_DAYS))


class RecipientCheck(TenantOwned):
    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting to be read")
        READING = "checking", _("Reading the file")
        DONE = "finished", _("Checked")
        FAILED = "failed", _("The file cannot be used")

    submission_key = models.UUIDField()  # of the form, and of the task it becomes
    created_by = models.ForeignKey("iam.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField()
    name = models.CharField(max_length=64)
    subject = models.CharField(max_length=200)
    template = models.ForeignKey(
        "email_service.Template", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # By which the file was judged; where the template has another by now, it is judged anew.
    template_version = models.ForeignKey(
        "email_service.TemplateVersion", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    address = models.ForeignKey(
        "email_service.Address", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    send_type = models.CharField(max_length=10, choices=Task.SendType)
    due_at = models.DateTimeField(null=True)
    recipient_file = models.FileField(upload_to="recipients/%Y/%m/")
    recipient_file_name = models.CharField(max_length=255)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    reason = models.CharField(max_length=500, blank=True)  # what `reasons.keep` made, where it failed
    reading_until = models.DateTimeField(null=True)  # lease of the worker that reads the file
    turn = models.PositiveIntegerField(default=0)  # a reader whose turn is over stores nothing more
    attempts = models.PositiveSmallIntegerField(default=0)  # readers this file has had
    finished_at = models.DateTimeField(null=True)
    header = models.JSONField(default=list)
    rows_read = models.PositiveIntegerField(default=0)
    good_count = models.PositiveIntegerField(default=0)
    bad_counts = models.JSONField(default=dict)  # key of reasons.ROW -> rows
    task = models.OneToOneField(Task, null=True, on_delete=models.SET_NULL, related_name="+")

    objects = RecipientCheckQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["tenant", "submission_key"], name="check_once_a_form"),
        ]
        indexes = [
            models.Index(fields=["changed_at"], name="check_by_change"),
            models.Index(
                fields=["id"], condition=models.Q(state__in=["waiting", "checking"]), name="check_unread"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("email:check_detail", args=[self.pk])

    @property
    def form_values(self) -> dict[str, object]:
        """What the form is filled in with when one goes back to it."""
        names = ("name", "subject", "send_type", "due_at", "submission_key")
        chosen = {"template": self.template_id, "address": self.address_id, "source": Task.Source.FILE}
        return {name: getattr(self, name) for name in names} | chosen

    @property
    def is_moving(self) -> bool:
        return self.state in (self.State.WAITING, self.State.READING)

    @property
    def left_out(self) -> int:
        """How many rows become no mail."""
        return self.rows_read - self.good_count


class CheckAttachment(AttachedFile):
    """A file that is to be sent with every mail of the task."""

    check_of = models.ForeignKey(RecipientCheck, on_delete=models.CASCADE, related_name="attachments")

    def __str__(self) -> str:
        return self.name


class CheckedBlock(models.Model):
    """Some rows of the file, packed: each with its number, its cells, and why it becomes no mail.

    A file of a million rows is five hundred of these, read and deleted as such.
    """

    check_of = models.ForeignKey(
        RecipientCheck, on_delete=models.CASCADE, related_name="blocks", db_index=False
    )
    first_row = models.PositiveIntegerField()
    last_row = models.PositiveIntegerField()
    good_count = models.PositiveIntegerField()
    bad_count = models.PositiveIntegerField()
    packed = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["check_of", "last_row"], name="checked_block_once")]

    def __str__(self) -> str:
        return f"{self.first_row}-{self.last_row}"
