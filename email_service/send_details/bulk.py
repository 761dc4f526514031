"""How each database takes many rows at once: COPY on PostgreSQL, executemany on SQLite."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import orjson
from django.db import connection, models

_BLOCK = 500


def insert_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows of plain values (JSON as lists and dicts); the caller's names are columns of the table."""
    table = connection.ops.quote_name(model._meta.db_table)
    names = ", ".join(connection.ops.quote_name(column) for column in columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                lines = map(_line, rows)
                while block := "".join(islice(lines, _BLOCK)):
                    copy.write(block)
            return
        marks = ", ".join(["%s"] * len(columns))
        cursor.executemany(
            f"INSERT INTO {table} ({names}) VALUES ({marks})",  # noqa: S608  names of our own tables
            _plain_rows(rows),  # type: ignore[arg-type]  # an iterator is taken too
        )


def _line(row: Sequence[Any]) -> str:
    """Write a row as COPY's text format; by hand, since this runs for each value of a million rows."""
    return "\t".join([_WRITERS[type(value)](value) for value in row]) + "\n"


def _escaped(text: str) -> str:
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if text.isprintable():
        return text
    return text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


class _Writers(dict[type, Callable[[Any], str]]):
    """How each kind of value is written; a kind of ours, such as a choice, as the one it is made of."""

    def __missing__(self, kind: type) -> Callable[[Any], str]:
        base = next((base for base in kind.__mro__ if base in self), None)
        if base is None:
            raise TypeError(f"{kind.__name__} is not written to the database in bulk")
        writer = self[base]
        self[kind] = (lambda value: writer(base(value))) if base in (str, int) else writer
        return self[kind]


_WRITERS = _Writers({
    str: _escaped,
    int: str,
    float: repr,
    bool: lambda value: "t" if value else "f",
    datetime: datetime.isoformat,
    type(None): lambda value: "\\N",
    list: lambda value: _escaped(_json(value)),
    dict: lambda value: _escaped(_json(value)),
    bytes: lambda value: f"\\\\x{value.hex()}",
})  # fmt: skip


def _plain_rows(rows: Iterable[Sequence[Any]]) -> Iterator[list[Any]]:
    """Yield the rows as the driver takes them; looked up once, since this runs for each value of a million rows."""
    adapt = connection.ops.adapt_datetimefield_value
    for row in rows:
        yield [
            adapt(value)
            if isinstance(value, datetime)
            else _json(value)
            if isinstance(value, (list, dict))
            else value
            for value in row
        ]
