"""Where a bench keeps its rows: databases of its own, gone afterwards."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

SERVERS = ("postgresql://postgres@127.0.0.1:5432/postgres", "postgresql://127.0.0.1:5432/postgres")


def choose(wanted: str | None) -> str:
    """Return "sqlite", or the address of a PostgreSQL server: the one asked for, else one that answers."""
    if wanted == "sqlite":
        return wanted
    if wanted and wanted != "postgresql":
        return wanted
    for address in SERVERS:
        try:
            psycopg.connect(address, connect_timeout=3).close()
        except psycopg.OperationalError:
            continue
        return address
    if wanted:
        raise SystemExit("No PostgreSQL answers on 127.0.0.1:5432. Name its address after --database.")
    return "sqlite"


@contextmanager
def database(server: str, folder: Path, name: str) -> Iterator[str]:
    """Make an empty database and yield its address."""
    if server == "sqlite":
        yield f"sqlite:///{folder}/{name}.sqlite3"
        return
    unique = sql.Identifier(f"koomessage_{name}_{os.getpid()}")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(unique))
    try:
        yield f"{server.rpartition('/')[0]}/koomessage_{name}_{os.getpid()}"
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(unique))
