"""What the page of a check shows."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise

from billing.costs import Forecast, forecast
from email_service.mail_templates.parameters import fill
from email_service.send_tasks import checks, columns, estimates, reasons
from email_service.send_tasks.examination import GOOD, CheckedRow
from email_service.send_tasks.models_check import CheckedBlock, RecipientCheck
from iam.models import Tenant

FIRST_ROWS = 5


@dataclass(frozen=True, slots=True)
class Left:
    """So many rows become no mail, and why."""

    reason: str | Promise
    number: int


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, and what submitting it means."""

    left_out: list[Left]
    cost: Forecast
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row of the file as its mail would be; `reason` says why there is none."""

    number: int
    address: str
    subject: str
    values: dict[str, str]
    reason: str | Promise = ""
    previous: int | None = None
    following: int | None = None


def check_of_form(tenant: Tenant, *, pk: str = "", submission_key: str = "") -> RecipientCheck | None:
    """Return the check whose files the form keeps, None where there is none that was not submitted."""
    rows = RecipientCheck.objects.for_tenant(tenant).filter(task=None).select_related("template")
    if submission_key:
        is_key = len(submission_key) == 36 and submission_key.replace("-", "").isalnum()
        try:
            return rows.filter(submission_key=submission_key).first() if is_key else None
        except (ValueError, TypeError):
            return None
    return rows.filter(pk=pk).first() if pk.isdecimal() and len(pk) <= 18 else None


def report(check: RecipientCheck) -> Report | None:
    """Return what the check found, None before it has ended."""
    if check.state != RecipientCheck.State.DONE:
        return None
    left = [Left(reasons.ROW.get(key, key), number) for key, number in check.bad_counts.items()]
    begins_at = max(check.due_at or timezone.now(), timezone.now())
    ends_at = None
    if check.address and check.good_count:
        ends_at = estimates.end_of(
            tenant=check.tenant,
            sender=check.address.address,
            messages=check.good_count,
            begins_at=begins_at,
        )
    left.sort(key=lambda row: -row.number)
    return Report(left, forecast(check.tenant, check.good_count), ends_at)


def first_rows(check: RecipientCheck) -> list[ShownRow]:
    """Return the first rows that become mails."""
    block = _blocks(check).filter(good_count__gt=0).first()
    rows = checks.rows_of(block) if block else []
    return [_shown(check, row) for row in rows if row.reason == GOOD][:FIRST_ROWS]


def shown_row(check: RecipientCheck, wanted: str) -> ShownRow | None:
    """Return the row with this number, else the next one below it; without a number the first good one."""
    if not wanted.isdecimal() or len(wanted) > 9:
        rows = first_rows(check)
        return shown_row(check, str(rows[0].number)) if rows else None
    number = int(wanted)
    block = _blocks(check).filter(last_row__gte=number).first() or _blocks(check).last()
    if block is None:
        return None
    rows_here = checks.rows_of(block)
    place = next((place for place, row in enumerate(rows_here) if row.number >= number), len(rows_here) - 1)
    before = rows_here[place - 1].number if place else None
    after = rows_here[place + 1].number if place + 1 < len(rows_here) else None
    if before is None:
        earlier = _blocks(check).filter(last_row__lt=block.first_row).last()
        before = earlier.last_row if earlier else None
    if after is None:
        later = _blocks(check).filter(first_row__gt=block.last_row).first()
        after = later.first_row if later else None
    return _shown(check, rows_here[place], before, after)


def _blocks(check: RecipientCheck) -> QuerySet[CheckedBlock]:
    return CheckedBlock.objects.filter(check_of=check).order_by("last_row")


def _shown(
    check: RecipientCheck, row: CheckedRow, previous: int | None = None, following: int | None = None
) -> ShownRow:
    version = check.template_version
    parameters = version.parameters if version else []
    try:
        layout = columns.match(check.header, parameters)
    except columns.BadHeader:
        # The template's version is not the one by which the file was judged.
        layout = columns.Layout(0, tuple(0 for _name in parameters))
    values = dict(zip(parameters, layout.values_in(row.cells), strict=True))
    return ShownRow(
        number=row.number,
        address=layout.address_in(row.cells),
        subject=fill(check.subject, values),
        values=values,
        reason=reasons.ROW[row.reason] if row.reason != GOOD else "",
        previous=previous,
        following=following,
    )
