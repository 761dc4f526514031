"""The UTC hour of a moment, found by the database itself: SQLite would call Python for each row otherwise."""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql.compiler import SQLCompiler


class UtcHour(models.Func):
    """The hour as text, "2024-08-16 09"; `moment_of` makes a moment of it."""

    output_field = models.CharField()
    arity = 1

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        # Moments are kept as text in UTC there.
        return super().as_sql(compiler, connection, template="substr(%(expressions)s, 1, 13)", **context)

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        template = "to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24')"
        return super().as_sql(compiler, connection, template=template, **context)


class Seconds(models.Func):
    """A moment as seconds since 1970: read a year's 8,760 times, whole numbers cost a tenth of moments."""

    output_field = models.BigIntegerField()
    arity = 1

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        template = "CAST(strftime('%%%%s', %(expressions)s) AS INTEGER)"
        return super().as_sql(compiler, connection, template=template, **context)

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        template = "date_part('epoch', %(expressions)s)::bigint"
        return super().as_sql(compiler, connection, template=template, **context)


def moment_of(hour: str) -> datetime:
    return datetime.fromisoformat(f"{hour}:00:00+00:00")
