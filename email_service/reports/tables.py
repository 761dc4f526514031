"""A report as it is shown: headings, rows, total, and what the chart draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from email_service.reports import queries
from email_service.reports.periods import Span
from email_service.reports.queries import Reception, Sending
from iam.models import Tenant

SENDING, RECEPTION = "sending", "reception"
TABS: dict[str, Promise] = {SENDING: _("Sending statistics"), RECEPTION: _("Reception statistics")}
_HEADINGS: dict[str, tuple[Promise, ...]] = {
    SENDING: (
        pgettext_lazy("report", "Time"), _("Mails sent"), _("Mails delivered"), _("Mails failed"), _("Mails pending"),
        _("Mails rejected"), _("Delivery rate"),
    ),
    RECEPTION: (pgettext_lazy("report", "Time"), _("Mails delivered"), _("Unsubscriptions"), _("Unsubscribe rate")),
}  # fmt: skip
# Which headings the chart draws, each with the colour's name in reports.css.
_SERIES: dict[str, tuple[tuple[int, str], ...]] = {
    SENDING: ((2, "success"), (3, "danger"), (4, "warning"), (5, "muted")),
    RECEPTION: ((1, "success"), (2, "warning")),
}


@dataclass(frozen=True)
class Table:
    headings: tuple[Promise, ...]
    rows: list[tuple[str | int, ...]]
    total: tuple[str | int, ...]
    chart: dict[str, Any]

    MOST_SHOWN = 1000

    @property
    def newest(self) -> list[tuple[str | int, ...]]:
        """The rows as the page shows them: newest first, and not more than a page can hold."""
        return self.rows[: -self.MOST_SHOWN - 1 : -1]

    @property
    def is_cut(self) -> bool:
        return len(self.rows) > self.MOST_SHOWN


def table_for(tenant: Tenant, tab: str, span: Span) -> Table:
    """Return one tab's report for the span."""
    label = str(_("Sum"))
    if tab == RECEPTION:
        received = queries.reception(tenant, span)
        return _table(tab, span, received, queries.total(received, Reception(label)))
    sent = queries.sending(tenant, span)
    return _table(tab, span, sent, queries.total(sent, Sending(label)))


def _table(tab: str, span: Span, rows: Sequence[Sending | Reception], total: Sending | Reception) -> Table:
    points = {row.label: row.points for row in rows}
    labels = span.labels() or list(points)
    nothing = (0,) * len(total.points)
    columns = list(zip(*(points.get(label, nothing) for label in labels), strict=True))
    chart = {
        "labels": labels,
        "series": [
            {"name": str(_HEADINGS[tab][place]), "tone": tone, "values": list(values)}
            for (place, tone), values in zip(_SERIES[tab], columns, strict=True)
        ]
        if rows
        else [],
    }
    return Table(_HEADINGS[tab], [row.cells for row in rows], total.cells, chart)
