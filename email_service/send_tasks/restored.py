"""Is this the database whose claims this host remembers, or one restored from a backup or put in its place?"""

from pathlib import Path

from django.db import connection

from email_service.send_tasks import claims

_KNOWN = "database"


class DatabaseIsBehind(Exception):
    """This host has seen claims the database may not know: it was restored or replaced. Nothing may be sent."""


def refuse(folder: Path, high_water: int) -> None:
    """Raise DatabaseIsBehind unless the database is the one this host knows, and no older than its journals."""
    known, found = _known(folder), identity()
    if high_water > claims.highest_token():
        problem = "The database is older than this host's journals."
    elif known and found and known != found:
        problem = f"The database is another than this host's journals know: {found}, and not {known}."
    else:
        if found and not known:
            remember(folder)
        return
    raise DatabaseIsBehind(
        f"{problem} Nothing is sent until an operator runs `manage.py resume_dispatch --after-restore`."
    )


def identity() -> str:
    """Return what a restored or promoted PostgreSQL has anew: system identifier, timeline, the database's number.

    Empty on SQLite, where a copy is like its original in everything but the counter of claims.
    """
    if connection.vendor != "postgresql":
        return ""
    with connection.cursor() as cursor:
        # The timeline of what is being written: the control file learns of a promotion a checkpoint later.
        cursor.execute(
            "SELECT system_identifier, left(pg_walfile_name(pg_current_wal_lsn()), 8), oid "
            "FROM pg_control_system(), pg_database WHERE datname = current_database()"
        )
        system, timeline, number = cursor.fetchone()
    return f"{system}/{int(timeline, 16)}/{number}"


def remember(folder: Path) -> None:
    """Take the database there is now for the right one."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"{_KNOWN}.new"
    fresh.write_text(identity())
    fresh.replace(folder / _KNOWN)


def _known(folder: Path) -> str:
    try:
        return (folder / _KNOWN).read_text().strip()
    except FileNotFoundError:
        return ""
