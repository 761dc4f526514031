"""Exports that people asked for: made by a job, kept for some days, downloaded from 下载中心."""

import uuid
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from iam.models import User
from koomessage.common.models import TenantOwned, TenantQuerySet


class ExportQuerySet(TenantQuerySet):
    def visible_to(self, user: User) -> Self:
        """Keep one's own; the main account sees those of all its users."""
        rows = self.filter(tenant=user.tenant)
        return rows if user.is_main else rows.filter(created_by=user)

    def unfinished(self) -> Self:
        return self.filter(status__in=Export.UNFINISHED)

    def takeable(self) -> Self:
        """Keep what waits, and what a worker that has died was at."""
        now = timezone.now()
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        return self.filter(free, status__in=Export.UNFINISHED)


class Export(TenantOwned):
    class Status(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("export", "Waiting")
        RUNNING = "running", pgettext_lazy("export", "In the making")
        DONE = "done", pgettext_lazy("export", "Ready")
        FAILED = "failed", pgettext_lazy("export", "Failed")

    class Format(models.TextChoices):
        XLSX = "xlsx", _("Excel workbook (.xlsx)")
        CSV = "csv", _("CSV text file (.csv)")

    UNFINISHED = (Status.WAITING, Status.RUNNING)

    created_by = models.ForeignKey("iam.User", null=True, on_delete=models.SET_NULL, related_name="+")
    kind = models.CharField(max_length=20)  # a name of downloads.sources
    format = models.CharField(_("file format"), max_length=4, choices=Format)
    query = models.TextField(blank=True)  # the list's filters, as in its address
    language = models.CharField(max_length=10)  # in which the asker read
    time_zone = models.CharField(max_length=64)
    is_revealed = models.BooleanField(default=False)  # whole addresses, as the asker was allowed to see
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.WAITING)
    rows_expected = models.PositiveBigIntegerField(default=0)
    rows_written = models.PositiveBigIntegerField(default=0)
    key = models.UUIDField(default=uuid.uuid4, unique=True)  # in the file's name, which nobody may guess
    file = models.FileField(max_length=255, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)  # also the number of the latest lease
    lease_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    objects = ExportQuerySet.as_manager()

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        default_permissions = ()
        indexes = [
            models.Index(fields=["tenant", "-created_at", "-id"], name="export_by_tenant"),
            models.Index(
                fields=["lease_until"],
                condition=models.Q(status__in=["waiting", "running"]),
                name="export_unfinished",
            ),
            models.Index(fields=["expires_at"], name="export_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def is_unfinished(self) -> bool:
        return self.status in self.UNFINISHED

    @property
    def is_ready(self) -> bool:
        return self.status == self.Status.DONE and bool(self.file)

    @property
    def is_expired(self) -> bool:
        return self.status == self.Status.DONE and not self.file
