"""How an export becomes a file: taken under a lease, written row by row, stored, and told of."""

import logging
import tempfile
import time
import zoneinfo
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import IO, Any

from django.conf import settings
from django.core.files.base import File
from django.db import DatabaseError, transaction
from django.http import QueryDict
from django.utils import timezone, translation

from email_service.downloads.models import Export
from email_service.downloads.sources import Sheet, source_of
from iam import audit
from iam.models import Tenant
from koomessage.common import csv_files, uploads, workbooks
from koomessage.common.errors import RuleViolation

logger = logging.getLogger(__name__)
MOST_ATTEMPTS = 5
TELL_SECONDS = 1.0
# Without a sign of life for so long another worker begins it anew.
LEASE = timedelta(seconds=120)
# A storage or a disk that refused is asked again after this.
AGAIN = timedelta(seconds=30)


class Lost(Exception):
    """The export is no longer this worker's: deleted, or taken by another that thought it dead."""


def make(export_id: int) -> bool:
    """Make the export's file; False where somebody else is at it, or the account has enough under way.

    Safe to run twice, or twice at once. Whatever kills it leaves a lease that ends, and it begins anew.
    """
    export = _take(export_id)
    if export is None:
        return False
    try:
        with (
            translation.override(export.language),
            timezone.override(zoneinfo.ZoneInfo(export.time_zone)),
            tempfile.TemporaryFile() as file,
        ):
            rows = _write(export, file)
            _keep(export, file, rows)
    except Lost:
        return False
    except DatabaseError:
        raise  # the lease ends, and the next worker begins anew
    except (RuleViolation, OSError) as trouble:
        logger.warning("Export %s is made later: %s", export.pk, trouble)
        _give_up(export, again=export.attempts < MOST_ATTEMPTS)
    except Exception:
        logger.exception("Export %s cannot be made.", export.pk)
        _give_up(export, again=False)
    return True


@transaction.atomic
def _take(export_id: int) -> Export | None:
    """Take the export under a new lease, where the account has room for one more under way."""
    export = Export.objects.takeable().filter(pk=export_id).first()
    if export is None:
        return None
    # Of two workers that take the account's last place the second must see the first's.
    Tenant.objects.select_for_update(no_key=True).get(pk=export.tenant_id)
    now = timezone.now()
    under_way = Export.objects.filter(
        tenant=export.tenant_id, status=Export.Status.RUNNING, lease_until__gte=now
    )
    if under_way.count() >= settings.EXPORTS_AT_ONCE:
        return None
    if export.attempts >= MOST_ATTEMPTS:
        # It brings down whoever makes it.
        _give_up(export, again=False)
        return None
    taken = Export.objects.takeable().filter(pk=export_id, attempts=export.attempts)
    export.attempts += 1
    changed = taken.update(
        status=Export.Status.RUNNING,
        attempts=export.attempts,
        rows_written=0,
        lease_until=now + LEASE,
    )
    return export if changed else None


def _write(export: Export, file: IO[bytes]) -> int:
    """Write the rows to the file and return how many; every second the row tells how far it is."""
    sheet = source_of(export.kind).open(export.tenant, QueryDict(export.query), export.is_revealed)
    _hold(export, rows_expected=sheet.expected)
    counted = _Counted(export, sheet)
    if export.format == Export.Format.CSV:
        csv_files.write_csv(file, sheet.headings, counted.rows())
    else:
        workbooks.write_workbook(file, sheet.headings, counted.rows())
    return counted.number


class _Counted:
    """The sheet's rows, counted as they go by; each batch renews the lease where it is time."""

    def __init__(self, export: Export, sheet: Sheet) -> None:
        self.export, self.sheet, self.number = export, sheet, 0
        self._told = time.monotonic()

    def rows(self) -> Iterator[Sequence[object]]:
        for batch in self.sheet.batches:
            yield from batch
            self.number += len(batch)
            if time.monotonic() - self._told >= TELL_SECONDS:
                _hold(self.export, rows_written=self.number)
                self._told = time.monotonic()


def _hold(export: Export, **fields: Any) -> None:
    """Renew the lease and write the fields. Raises Lost where the export is another's, or nobody's any more."""
    until = timezone.now() + LEASE
    if not _ours(export).update(lease_until=until, **fields):
        raise Lost


def _ours(export: Export) -> Any:
    return Export.objects.filter(pk=export.pk, status=Export.Status.RUNNING, attempts=export.attempts)


def _keep(export: Export, file: IO[bytes], rows: int) -> None:
    """Store the file and say that it is there; what cannot be said is not kept."""
    size = file.seek(0, 2)
    file.seek(0)
    _hold(export, rows_written=rows)
    for attempt in range(1, export.attempts):
        export.file.name = _name(export, attempt)
        uploads.discard(export.file)  # of a worker that died here
    uploads.store(export.file, _name(export, export.attempts), File(file), field="file")
    try:
        _finish(export, rows, size)
    except BaseException:
        uploads.discard(export.file)
        raise


@transaction.atomic
def _finish(export: Export, rows: int, size: int) -> None:
    now = timezone.now()
    done = _ours(export).update(
        status=Export.Status.DONE,
        file=export.file.name,
        size=size,
        rows_written=rows,
        rows_expected=rows,
        lease_until=None,
        finished_at=now,
        expires_at=now + timedelta(days=settings.EXPORT_DAYS),
    )
    if not done:
        raise Lost
    if export.is_revealed:
        audit.record(
            tenant=export.tenant,
            user=export.created_by,
            action=source_of(export.kind).reveal_action,
            target=str(export),
            rows=rows,
        )


def _give_up(export: Export, *, again: bool) -> None:
    """Let the export wait for another attempt, or end it as failed."""
    now = timezone.now()
    if again:
        _ours(export).update(status=Export.Status.WAITING, lease_until=now + AGAIN)
        return
    Export.objects.filter(pk=export.pk, attempts=export.attempts).unfinished().update(
        status=Export.Status.FAILED,
        lease_until=None,
        finished_at=now,
        expires_at=now + timedelta(days=settings.EXPORT_DAYS),
    )


def _name(export: Export, attempt: int) -> str:
    return f"exports/{export.created_at:%Y/%m}/{export.key.hex}-{attempt}.{export.format}"
