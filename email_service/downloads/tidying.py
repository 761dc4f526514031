"""Exports by the clock: those that nobody makes are found, files of long ago are deleted."""

from datetime import timedelta

from django.utils import timezone

from email_service.downloads.models import Export
from koomessage.common import uploads

# How long the line of an export stands in the list after its file has gone.
KEEP_LINE = timedelta(days=30)
_AT_ONCE = 500


def stuck() -> list[int]:
    """Return the exports whose job was lost, or whose worker has died, the oldest first."""
    return list(Export.objects.takeable().order_by("pk").values_list("pk", flat=True)[:_AT_ONCE])


def waiting_of(export_id: int) -> list[int]:
    """Return the next of the same account's exports, now that this one has made room."""
    tenant = Export.objects.filter(pk=export_id).values("tenant")
    return list(
        Export.objects.takeable().filter(tenant__in=tenant).order_by("pk").values_list("pk", flat=True)[:1]
    )


def drop_expired() -> None:
    """Delete the files whose days are over; a storage that does not answer is asked again later."""
    now = timezone.now()
    for export in Export.objects.filter(expires_at__lt=now).exclude(file="").order_by("pk")[:_AT_ONCE]:
        if uploads.discard(export.file):
            Export.objects.filter(pk=export.pk).update(file="")
    Export.objects.filter(expires_at__lt=now - KEEP_LINE, file="").delete()
