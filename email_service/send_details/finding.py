"""The shortest way to a page of messages, whatever they are searched by.

The newest of ten million rows are read from an index that has them in order, and no walk may go on until it
happens to meet enough that match:

- Of few tasks: the newest of each task in each state, put together.
- Of many tasks, or to a part of an address: the newest rows are looked at first, which is enough where matches
  are common. Where they are not, the addresses that hold the part are found among the addressees, and the newest
  message to each; or the newest of each task.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models.expressions import RawSQL

from email_service.send_details import addressees
from email_service.send_details.models import Message

# Rows looked at before anything else is asked; and before all are, where there is no other way.
WINDOW = 5_000
MOST_LOOKED_AT = 100_000
# Addresses and tasks that are followed one by one; fewer tasks than the last are at once.
MOST_ADDRESSES = 2_000
MOST_WITHOUT_OTHER_WAY = 50_000
MOST_TASKS = 5_000
FEW_TASKS = 250
# The states of the index message_by_end.
ENDED_OTHERWISE = frozenset({"failed", "rejected", "expired", "held", "cancelled"})
# The number said of a list is exact up to here.
MOST_COUNTED = 10_000

Rows = models.QuerySet[Any]


def as_they_are(rows: Rows) -> Rows:
    return rows


@dataclass(frozen=True)
class Count:
    """How many messages match; `is_more`: at least so many."""

    number: int
    is_more: bool

    @property
    def number_text(self) -> str:
        return f"{self.number:,}"


@dataclass(frozen=True)
class Start:
    """Values of a column where an index is entered, once for each."""

    column: str
    kind: str  # of the database
    values: Sequence[Any]


@dataclass(frozen=True)
class Search:
    """What is searched: `rows` are narrowed by all that needs no way of its own."""

    tenant_id: int
    rows: Rows
    tasks: Rows | None = None  # of these tasks alone
    states: Sequence[str] = ()  # to which `rows` are narrowed already
    part: str = ""  # of the recipient's address, in lower case
    dress: Callable[[Rows], Rows] = as_they_are  # adds what a page needs of each row

    @cached_property
    def narrowed(self) -> Rows:
        """All conditions in one query: right for every row, and slow where matches are far between."""
        return self._with_part(self._of_tasks(self.rows))

    def fetch(self, rows: Rows, count: int) -> list[Message]:
        """Return the first so many matches of `rows`: this search's, narrowed to a page and put in order."""
        search = replace(self, rows=rows)
        if search._is_broad:
            ids, is_all = search._in_window(WINDOW, count)
            if is_all or len(ids) == count:
                return search._load(ids)
        narrowed, starts = search._way
        if starts:
            return search._load(_newest(narrowed, starts, count))
        if search._is_broad:
            ids, is_all = search._in_window(MOST_LOOKED_AT, count)
            if is_all or len(ids) == count:
                return search._load(ids)
        if search.part and (starts := search._at_addresses(MOST_WITHOUT_OTHER_WAY)):
            return search._load(_newest(search._of_tasks(rows), starts, count))
        return list(self.dress(narrowed)[:count])

    def count(self) -> Count:
        most = MOST_COUNTED + 1
        rows, starts = self._way
        if self._is_broad and not starts:
            ordered = replace(self, rows=self.rows.order_by("-accepted_at", "-pk"))
            found, is_all = ordered._in_window(MOST_LOOKED_AT, most)
            if not found and not is_all and self.part:
                # Long ago: "more than none" would say nothing.
                starts = self._at_addresses(MOST_WITHOUT_OTHER_WAY)
        if self._is_broad and not starts:
            return Count(min(len(found), MOST_COUNTED), len(found) == most or not is_all)
        number = _number(rows, starts, most)
        return Count(min(number, MOST_COUNTED), number == most)

    @cached_property
    def _task_ids(self) -> list[int] | None:
        """The tasks' ids, None where they are too many to follow, or may be any."""
        if self.tasks is None:
            return None
        ids = list(self.tasks.values_list("pk", flat=True)[: MOST_TASKS + 1])
        return ids if len(ids) <= MOST_TASKS else None

    @property
    def _is_broad(self) -> bool:
        """True where matches may be common among the newest rows, and must be looked for."""
        ids = self._task_ids
        return (ids is None or len(ids) > FEW_TASKS) and (self.tasks is not None or bool(self.part))

    @cached_property
    def _way(self) -> tuple[Rows, tuple[Start, ...]]:
        """Where to enter an index, and rows narrowed by what that leaves open; no start: walk them."""
        if self.part:
            starts = self._at_addresses(MOST_ADDRESSES)
            if starts:
                return self._of_tasks(self.rows), starts
        states = list(self.states) or Message.Status.values
        if self._task_ids is None:
            if self.tasks is None and self.states and not self.part and ENDED_OTHERWISE.issuperset(states):
                # The index that holds the few has each state in order, not all of them.
                return self.narrowed, (Start("status", "varchar", states),)
            return self.narrowed, ()
        starts = (Start("task_id", "bigint", self._task_ids), Start("status", "varchar", states))
        return self._with_part(self.rows), starts

    def _at_addresses(self, most: int) -> tuple[Start, ...]:
        """Return the addresses that hold the part as starts, none where they are more than so many."""
        keys = addressees.holding(self.tenant_id, self.part, most + 1)
        return (Start("recipient_key", "varchar", keys),) if len(keys) <= most else ()

    def _load(self, ids: Sequence[int]) -> list[Message]:
        if not ids:
            return []
        # By the ids alone, and put in order here: with the conditions and the order of the search the database
        # may walk all times until it has met these.
        found = list(self.dress(Message.objects.filter(pk__in=ids)))
        return sorted(found, key=lambda row: (row.accepted_at, row.pk), reverse=_is_descending(self.rows))

    def _of_tasks(self, rows: Rows) -> Rows:
        if self.tasks is None:
            return rows
        return rows.filter(task__in=self.tasks.values("pk") if self._task_ids is None else self._task_ids)

    def _with_part(self, rows: Rows) -> Rows:
        return rows.filter(recipient_key__contains=self.part) if self.part else rows

    def _in_window(self, size: int, count: int) -> tuple[list[int], bool]:
        """Return matches among the first so many rows, and whether there are no other rows."""
        try:
            columns = self.rows.values("id", "accepted_at", "recipient_key", "task_id")
            window, params = columns[:size].query.sql_with_params()
        except EmptyResultSet:
            return [], True
        conditions, values = ["1 = 1"], list(params)
        if self.part:
            conditions.append("recipient_key LIKE %s ESCAPE '\\'")
            values.append(f"%{connection.ops.prep_for_like_query(self.part)}%")
        if self.tasks is not None:
            wanted, of_tasks = self.tasks.order_by().values("pk").query.sql_with_params()
            conditions.append(f"task_id IN ({wanted})")
            values += of_tasks
        sql = (
            f"WITH seen AS MATERIALIZED ({window}) "  # noqa: S608 - compiled from our own queries
            "SELECT 0 AS kind, count(*) AS id FROM seen UNION ALL SELECT 1, found.id FROM ("
            f"SELECT id FROM seen WHERE {' AND '.join(conditions)} ORDER BY {_order(self.rows)} LIMIT %s"
            ") AS found"
        )
        with connection.cursor() as cursor:
            cursor.execute(sql, [*values, count])
            answer = cursor.fetchall()
        looked_at = next(number for kind, number in answer if kind == 0)
        return [number for kind, number in answer if kind == 1], looked_at < size


def _newest(rows: Rows, starts: Sequence[Start], count: int) -> list[int]:
    """Return the ids of the first so many of the rows at these starts, in the rows' order."""
    order = f"ORDER BY {_order(rows)}"
    return [pk for (pk,) in _at_starts(rows, starts, count, "part.id", order)]


def _number(rows: Rows, starts: Sequence[Start], most: int) -> int:
    rows = rows.order_by()
    if not starts or connection.vendor != "postgresql":
        return _at(rows, starts)[:most].count()
    return len(_at_starts(rows, starts, most, "1"))


def _at(rows: Rows, starts: Sequence[Start]) -> Rows:
    return rows.filter(**{f"{start.column}__in": start.values for start in starts})


def _at_starts(
    rows: Rows, starts: Sequence[Start], count: int, wanted: str, order: str = ""
) -> list[tuple[int]]:
    """Read no more than so many rows at each start, and no more than so many in all."""
    if not all(start.values for start in starts):
        return []
    if connection.vendor != "postgresql":
        # Without LATERAL; SQLite sorts what it finds at the starts, and holds no ten million rows.
        return list(_at(rows, starts).values_list("pk")[:count])
    for start in starts:
        rows = rows.filter(**{start.column: RawSQL(f"{start.column}s.value", ())})  # noqa: S611 - names of ours
    try:
        part, params = rows.values("id", "accepted_at")[:count].query.sql_with_params()
    except EmptyResultSet:
        return []
    places = " CROSS JOIN ".join(f"unnest(%s::{start.kind}[]) AS {start.column}s(value)" for start in starts)
    sql = f"SELECT {wanted} FROM {places} CROSS JOIN LATERAL ({part}) AS part {order} LIMIT %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [*(list(start.values) for start in starts), *params, count])
        return cursor.fetchall()


def _order(rows: Rows) -> str:
    way = "DESC" if _is_descending(rows) else "ASC"
    return f"accepted_at {way}, id {way}"


def _is_descending(rows: Rows) -> bool:
    return str(rows.query.order_by[0]).startswith("-")
