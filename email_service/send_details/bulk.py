"""How each database takes many rows at once: COPY on PostgreSQL, executemany on SQLite."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, models


def insert_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows of plain values (JSON as lists and dicts); the caller's names are columns of the table."""
    table = connection.ops.quote_name(model._meta.db_table)
    names = ", ".join(connection.ops.quote_name(column) for column in columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in _plain_rows(rows):
                    copy.write_row(row)
            return
        marks = ", ".join(["%s"] * len(columns))
        cursor.executemany(
            f"INSERT INTO {table} ({names}) VALUES ({marks})",  # noqa: S608  names of our own tables
            _plain_rows(rows),  # type: ignore[arg-type]  # an iterator is taken too
        )


def _plain_rows(rows: Iterable[Sequence[Any]]) -> Iterator[list[Any]]:
    """Yield the rows as the driver takes them; looked up once, since this runs for each value of a million rows."""
    adapt = connection.ops.adapt_datetimefield_value
    for row in rows:
        yield [
            adapt(value)
            if isinstance(value, datetime)
            else json.dumps(value, ensure_ascii=False)
            if isinstance(value, (list, dict))
            else value
            for value in row
        ]
