"""A report as it is shown: headings, rows, total, what leads from a figure to its mails, and what the chart draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from email_service.reports import queries
from email_service.reports.periods import Span
from email_service.reports.queries import ALL, Reception, Sending, Wanted
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
RATE = "rate"
# What the filter of 发送明细 calls the mails that a column counts; what happened later is not found there by its hour.
_STATUSES = ("sent", "delivered", "failed_all", "pending_all", "rejected")
_SECOND = timedelta(seconds=1)
Cells = tuple[str | int, ...]


@dataclass(frozen=True)
class Line:
    """A row as the page shows it: its label, then each figure with the query that finds its mails."""

    label: str
    figures: list[tuple[str | int, str]]


@dataclass(frozen=True)
class Table:
    headings: tuple[Promise, ...]
    rows: list[Cells]
    total: Cells
    chart: dict[str, Any]
    periods: list[datetime | None]
    span: Span
    wanted: Wanted
    busiest: Cells = ()

    MOST_SHOWN = 1000

    @property
    def newest(self) -> list[Cells]:
        """The rows as the page shows them: newest first, and not more than a page can hold."""
        return self.rows[: -self.MOST_SHOWN - 1 : -1]

    @property
    def is_cut(self) -> bool:
        return len(self.rows) > self.MOST_SHOWN

    @property
    def lines(self) -> list[Line]:
        """The newest rows, each figure with its query."""
        return [
            self._line(cells, hour) for cells, hour in zip(self.newest, reversed(self.periods), strict=False)
        ]

    @property
    def sum_line(self) -> Line:
        return self._line(self.total, None)

    def _line(self, cells: Cells, hour: datetime | None) -> Line:
        label, *figures = cells
        if self.headings != _HEADINGS[SENDING]:
            return Line(str(label), [(figure, "") for figure in figures])
        start, end = self.span.period(hour) if hour else self.span.whole
        written = self.span.written
        times = {"created_from": written(start), "created_to": written(end - _SECOND)}
        query = urlencode({**self.wanted, **times}, safe=":@")
        queries = [
            f"{query}&status={name}" if figure else ""
            for figure, name in zip(figures, _STATUSES, strict=False)
        ]
        return Line(str(label), list(zip(figures, [*queries, ""], strict=True)))


def table_for(tenant: Tenant, tab: str, span: Span, wanted: Wanted = ALL) -> Table:
    """Return one tab's report of the tasks wanted for the span."""
    label = str(_("Sum"))
    if tab == RECEPTION:
        received = queries.reception(tenant, span, wanted)
        return _table(tab, span, wanted, received, queries.total(received, Reception(label)))
    sent = queries.sending(tenant, span, wanted)
    return _table(tab, span, wanted, sent, queries.total(sent, Sending(label)))


def _table(
    tab: str,
    span: Span,
    wanted: Wanted,
    rows: Sequence[Sending | Reception],
    total: Sending | Reception,
) -> Table:
    cells = [row.cells for row in rows]
    return Table(
        headings=_HEADINGS[tab],
        rows=cells,
        total=total.cells,
        chart=_chart(tab, span, rows) if rows else {"labels": [], "series": []},
        periods=[row.hour for row in rows],
        span=span,
        wanted=wanted,
        # The first of several, as one reads a chart.
        busiest=max(cells, key=lambda row: row[1]) if cells else (),
    )


def _chart(tab: str, span: Span, rows: Sequence[Sending | Reception]) -> dict[str, Any]:
    found = {row.label: row for row in rows}
    labels = span.labels() or list(found)
    nothing = (0,) * len(rows[0].points)
    columns = zip(*(found[label].points if label in found else nothing for label in labels), strict=True)
    chart: dict[str, Any] = {
        "labels": labels,
        "series": [
            {"name": str(_HEADINGS[tab][place]), "tone": tone, "values": list(values)}
            for (place, tone), values in zip(_SERIES[tab], columns, strict=True)
        ],
    }
    if tab == SENDING:
        shown = (found.get(label) for label in labels)
        rates = [row.percentage if isinstance(row, Sending) else None for row in shown]
        chart["rate"] = {"name": str(_HEADINGS[tab][-1]), "tone": RATE, "values": rates}
    return chart


def is_tone(tab: str, tone: str) -> bool:
    """Say whether the tab's chart draws something by this colour, so that its legend can hide it."""
    return tone in {name for _place, name in _SERIES[tab]} or (tab == SENDING and tone == RATE)
