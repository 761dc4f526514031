"""Keyset pages: each page starts after the last row of the one before, so page 10,000 costs what page 1 does."""

import base64
import binascii
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.http import HttpRequest, QueryDict

SIZES = (20, 50, 100)
# Returns the first so many of rows that are narrowed to the page and in its order.
Fetch = Callable[[models.QuerySet[Any], int], list[Any]]


def fetch_rows(rows: models.QuerySet[Any], count: int) -> list[Any]:
    return list(rows[:count])


@dataclass(frozen=True)
class Page:
    """One page of a list; the queries are strings to put behind `?`, empty where there is no such page."""

    rows: list[Any]
    next_query: str
    previous_query: str
    first_query: str
    size: int
    sort: str
    query: QueryDict

    sizes = SIZES

    @property
    def is_filtered(self) -> bool:
        """True where the reader narrowed the list, so that emptiness means no match rather than nothing yet."""
        ignored = {"sort", "size", "after", "before", "advanced", "tab"}
        return any(str(value).strip() for key, value in self.query.items() if key not in ignored)

    def query_with(self, **changes: str) -> str:
        """Return this page's query from its first row, with some parameters changed (empty: left out)."""
        query = self.query.copy()
        for name in ("after", "before", *changes):
            query.pop(name, None)
        for name, value in changes.items():
            if value:
                query[name] = value
        return query.urlencode()


def paginate(
    request: HttpRequest,
    rows: models.QuerySet[Any],
    *,
    sorts: dict[str, str],
    default: str,
    fetch: Fetch = fetch_rows,
) -> Page:
    """Cut the page that `?after`, `?before`, `?sort` and `?size` name out of the rows.

    `sorts` maps the names readers see in the address to columns that are never null; `default` is one of
    them, "-" in front for descending. What cannot be understood falls back to the first page: an address
    somebody shortened is no error. `fetch` reads the rows, for lists that know a shorter way to them.
    """
    sort = request.GET.get("sort", default)
    if sort.removeprefix("-") not in sorts:
        sort = default
    asked = request.GET.get("size", "")
    size = int(asked) if asked in map(str, SIZES) else SIZES[0]
    field = sorts[sort.removeprefix("-")]
    descending = sort.startswith("-")
    backwards = "before" in request.GET
    start = _unpack(rows.model, field, request.GET.get("before" if backwards else "after", ""))
    backwards = backwards and start is not None

    up = descending == backwards
    if start is not None:
        rows = rows.filter(beyond(field, start, up=up))
    sign = "" if up else "-"
    found = fetch(rows.order_by(f"{sign}{field}", f"{sign}pk"), size + 1)
    more = len(found) > size
    found = found[:size]
    if backwards:
        found.reverse()

    query = request.GET.copy()
    for name in ("after", "before"):
        query.pop(name, None)
    page = Page(found, "", "", query.urlencode(), size, sort, query)
    has_next = bool(found) and (backwards or more)
    has_previous = bool(found) and (more if backwards else start is not None)
    return Page(
        found,
        page.query_with(after=_pack(found[-1], field)) if has_next else "",
        page.query_with(before=_pack(found[0], field)) if has_previous else "",
        page.first_query,
        size,
        sort,
        query,
    )


def beyond(field: str, start: tuple[Any, int], *, up: bool) -> models.Q:
    """Keep the rows that come after a row's value and id in this order."""
    value, pk = start
    compare = "gt" if up else "lt"
    if field == "pk":
        return models.Q(**{f"pk__{compare}": pk})
    # Both columns as one value: where a million rows share a time, PostgreSQL's index leads to the very row.
    # The first condition alone is implied; it lets SQLite walk one index instead of two ranges.
    both = TupleGreaterThan if up else TupleLessThan
    return models.Q(**{f"{field}__{compare}e": value}) & models.Q(
        both(Tuple(models.F(field), models.F("pk")), (value, pk))
    )


def batches(rows: models.QuerySet[Any], order: str, size: int) -> Iterator[list[Any]]:
    """Yield all rows in the order of a column that is never null, each batch by a query that begins after the last."""
    field, up = order.removeprefix("-"), not order.startswith("-")
    rows = rows.order_by(order, "pk" if up else "-pk")
    found = list(rows[:size])
    while found:
        yield found
        last = found[-1]
        found = list(rows.filter(beyond(field, (getattr(last, field), last.pk), up=up))[:size])


def _pack(row: models.Model, field: str) -> str:
    value: Any = row
    for part in field.split("__"):
        value = getattr(value, part)
    raw = json.dumps([value.isoformat() if isinstance(value, datetime) else value, row.pk])
    return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")


def _unpack(model: type[models.Model], field: str, cursor: str) -> tuple[Any, int] | None:
    if not cursor:
        return None
    try:
        value, pk = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        column: Any = model
        for part in field.split("__"):
            column = column._meta.pk if part == "pk" else column._meta.get_field(part)
            column = column.related_model if column.is_relation else column
        return column.to_python(value), int(pk)
    except (
        ValueError,
        TypeError,
        binascii.Error,
        LookupError,
        AttributeError,
        RecursionError,
        ValidationError,
    ):
        return None
