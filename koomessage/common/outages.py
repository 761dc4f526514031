"""Which failure is the machine's own: a disk that is full, a database that does not answer."""

import errno
import sqlite3
from collections.abc import Iterator
from enum import IntEnum

from django.db import InterfaceError, OperationalError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FULL_DATABASE = "53100"  # PostgreSQL's disk_full


class Outage(IntEnum):
    """What is out, by the status of the answer that says so."""

    DATABASE = 503
    ROOM = 507


def outage_of(error: BaseException | None) -> Outage | None:
    """Say what of the machine's failed where the error came of that, None for any other error."""
    chain = list(_chain(error))
    if any(_is_full(link) for link in chain):
        return Outage.ROOM
    # SQLite says so of a statement that is wrong, too.
    if any(getattr(link, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR for link in chain):
        return None
    return (
        Outage.DATABASE
        if any(isinstance(link, OperationalError | InterfaceError) for link in chain)
        else None
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _is_full(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in _FULL
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return getattr(error, "sqlstate", None) == _FULL_DATABASE
