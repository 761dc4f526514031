"""Hourly counts: what reports are read from."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from koomessage.common.models import TenantQuerySet

COUNTS = ("succeeded", "failed", "pending", "rejected")


class Report(models.Model):
    """Counts of one task's messages accepted in one UTC hour; made anew from rows, never added to."""

    tenant = models.ForeignKey("iam.Tenant", on_delete=models.PROTECT, related_name="+", db_index=False)
    task = models.ForeignKey("email_service.Task", on_delete=models.PROTECT, related_name="+", db_index=False)
    hour = models.DateTimeField(_("time"))
    succeeded = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)  # expired ones included
    pending = models.PositiveIntegerField(default=0)  # held ones included
    rejected = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField()

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        default_permissions = ("list", "view", "export")
        constraints = [models.UniqueConstraint(fields=["task", "hour"], name="report_once_an_hour")]
        indexes = [
            models.Index(fields=["tenant", "hour"], name="report_by_hour"),
            # With the counts, so that a year of some tasks is added up from the index alone.
            models.Index(fields=["task", "hour"], include=["tenant", *COUNTS], name="report_by_task"),
        ]

    def __str__(self) -> str:
        return f"{self.task_id} {self.hour:%Y-%m-%d %H}"


class HourTotal(models.Model):
    """The sum of an account's reports for one UTC hour, made anew with each of them: a year is 8,760 rows."""

    tenant = models.ForeignKey("iam.Tenant", on_delete=models.PROTECT, related_name="+", db_index=False)
    hour = models.DateTimeField()
    succeeded = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    pending = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)

    objects = TenantQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["tenant", "hour"], name="total_once_an_hour")]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}"
