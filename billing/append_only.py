"""Ledgers that the database itself refuses to change: the triggers, in the words of each database.

A migration that rebuilds a ledger's table on SQLite (any AlterField) drops its triggers: let it end with `guard`.
`billing.integrity` reports a ledger without them.
"""

from typing import Any

LEDGERS = ("billing_unitentry", "billing_moneyentry")
_FUNCTION = """
CREATE OR REPLACE FUNCTION billing_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'The ledger % is append-only.', TG_TABLE_NAME; END $$
"""


def guard(connection: Any) -> None:
    """Make the database refuse every UPDATE and DELETE of a ledger's lines."""
    unguard(connection)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_FUNCTION)
        for table in LEDGERS:
            for verb in ("UPDATE", "DELETE"):
                name = f"{table}_no_{verb.lower()}"
                if connection.vendor == "postgresql":
                    body = "FOR EACH ROW EXECUTE FUNCTION billing_refuse_change()"
                else:
                    body = f"BEGIN SELECT RAISE(ABORT, 'The ledger {table} is append-only.'); END"
                cursor.execute(f"CREATE TRIGGER {name} BEFORE {verb} ON {table} {body}")


def unguard(connection: Any) -> None:
    """Take the triggers away, for a migration that goes back and for tests that empty their database."""
    with connection.cursor() as cursor:
        for table in LEDGERS:
            for verb in ("update", "delete"):
                name = f"{table}_no_{verb}"
                on = f" ON {table}" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


def unguarded(connection: Any) -> list[str]:
    """Return the triggers that should be there and are not."""
    wanted = {f"{table}_no_{verb}" for table in LEDGERS for verb in ("update", "delete")}
    if connection.vendor == "postgresql":
        query = "SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'"
    else:
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    with connection.cursor() as cursor:
        cursor.execute(query)
        return sorted(wanted - {row[0] for row in cursor.fetchall()})
