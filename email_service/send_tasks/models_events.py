"""What happened to a send task, step by step: written beside the moves themselves, never changed."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from email_service.send_tasks.models import Task


class TaskEvent(models.Model):
    """A step of a task, and who took it; `detail` holds what the step's sentence needs."""

    class Kind(models.TextChoices):
        SUBMITTED = "submitted", _("Submitted")
        READ = "read", _("Recipients read")
        STARTED = "started", _("Sending began")
        PAUSED = "paused", _("Paused")
        QUOTA_PAUSED = "quota_paused", _("Paused for quota")
        RESUMED = "resumed", _("Resumed")
        CANCELLED = "cancelled", _("Cancelled")
        FINISHED = "finished", _("Finished")
        FAILED = "failed", _("Sending failed")

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=12, choices=Kind)
    at = models.DateTimeField()
    user = models.ForeignKey("iam.User", null=True, on_delete=models.SET_NULL, related_name="+")
    # by: the person's name, which outlives the user; rows: how many were read; reason: as of `reasons.keep`.
    detail = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.task_id} {self.kind}"
