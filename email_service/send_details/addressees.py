"""Which addresses an account has written to, each once: there a part of an address is looked for."""

from collections.abc import Iterable

from django.db import connection

from email_service.send_details.models import Addressee, Message


def remember(tenant_id: int, keys: Iterable[str]) -> None:
    """Add the addresses that are new, in the caller's transaction.

    In the order of the alphabet, so that two who add the same ones wait for each other and never in a circle.
    """
    fresh = sorted(set(keys))
    if connection.vendor != "postgresql":
        rows = (Addressee(tenant_id=tenant_id, address_key=key) for key in fresh)
        Addressee.objects.bulk_create(rows, ignore_conflicts=True)
        return
    # Without an object for each: a million rows are read at 20,000 a second.
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Addressee._meta.db_table} (tenant_id, address_key) "  # noqa: S608 - a name of ours
            "SELECT %s, key FROM unnest(%s::varchar[]) AS key ON CONFLICT DO NOTHING",
            [tenant_id, fresh],
        )


def remember_all() -> int:
    """Add the addresses of all messages that are new; return how many that was."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Addressee._meta.db_table} (tenant_id, address_key) "  # noqa: S608 - names of ours
            f"SELECT DISTINCT tenant_id, recipient_key FROM {Message._meta.db_table} WHERE true "
            "ON CONFLICT DO NOTHING"
        )
        return cursor.rowcount


def holding(tenant_id: int, text: str, most: int) -> list[str]:
    """Return addresses of the account that hold the text, no more than so many, in no order.

    The text must stand in the statement itself, as Django's cursors have it: a plan made once for any text
    knows nothing of how rare this one is, and takes a hundred times as long.
    """
    found = Addressee.objects.filter(tenant=tenant_id, address_key__contains=text)
    return list(found.values_list("address_key", flat=True)[:most])
