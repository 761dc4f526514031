"""Who may not be written to any more."""

import json
from collections.abc import Collection

from django.db import connection

from email_service.feedback.models import Suppression


def suppressed_keys(tenant_id: int, keys: Collection[str]) -> set[str]:
    """Return those of the keys (addresses in lower case) that are on the account's suppression list."""
    # One value that holds them all: asked before each batch, five hundred single ones cost more than their mails.
    listed = (
        "jsonb_array_elements_text(%s::jsonb)"
        if connection.vendor == "postgresql"
        else "(SELECT value FROM json_each(%s))"
    )
    sql = (
        f"SELECT address_key FROM {Suppression._meta.db_table} "  # noqa: S608 - names of our own
        f"WHERE tenant_id = %s AND address_key IN (SELECT * FROM {listed} AS wanted)"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [tenant_id, json.dumps(list(keys))])
        return {key for (key,) in cursor.fetchall()}
