"""余额, 用量 and 账单 as workbooks."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import models
from django.http import FileResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.bills import Bill
from billing.models import MoneyEntry
from billing.usage import Usage
from koomessage.common.workbooks import workbook_response


def money_workbook(rows: models.QuerySet[MoneyEntry]) -> FileResponse:
    headings = [
        _("Booked"),
        _("Kind"),
        _("Amount"),
        _("Currency"),
        _("Order number"),
        _("Hour"),
        _("Mails"),
        _("Reason"),
    ]
    return workbook_response(_("Balance"), headings, _movements(rows))


def _movements(rows: models.QuerySet[MoneyEntry]) -> Iterator[list[object]]:
    for row in rows.select_related("order").order_by("-at", "-pk").iterator(chunk_size=2000):
        yield [
            _moment(row.at),
            row.get_kind_display(),
            str(row.amount),
            row.currency,
            row.order.number if row.order else "",
            _moment(row.hour),
            row.units,
            "" if row.hour else row.reason,
        ]


def usage_workbook(usage: Usage) -> FileResponse:
    headings = [_("Day"), _("From packages"), _("As you go"), _("Amount"), _("Currency")]
    rows: Sequence[Sequence[object]] = [
        [row.label, row.packages, row.as_you_go, str(row.amount), usage.currency]
        for row in (*usage.rows[::-1], usage.total)
    ]
    return workbook_response(_("Usage"), headings, rows)


def bills_workbook(bills: Sequence[Bill], currency: str) -> FileResponse:
    headings = [
        _("Month"), _("State"), _("Orders paid"), _("Packages"), _("Mails used as you go"), _("Usage"), _("Total"),
        _("Currency"),
    ]  # fmt: skip
    rows = [
        [
            f"{bill.month:%Y-%m}",
            _("Final") if bill.is_final else _("Estimate"),
            bill.orders,
            str(bill.bought),
            bill.units,
            str(bill.used),
            str(bill.amount),
            currency,
        ]
        for bill in bills
    ]
    return workbook_response(_("Bills"), headings, rows)


def _moment(value: datetime | None) -> str:
    return timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S") if value else ""
