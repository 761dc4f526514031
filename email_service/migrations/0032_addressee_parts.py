import logging

from django.db import DatabaseError, migrations, transaction

logger = logging.getLogger(__name__)
TABLE = "email_service_addressee"


def index_parts(apps, schema_editor):
    """Have three letters anywhere in an address lead to it, by an extension of PostgreSQL's own.

    Where this account may not create the extension, searching goes on without (docs/production.md).
    """
    if schema_editor.connection.vendor != "postgresql":
        return
    # Ten times as many samples as usual: a part of a million addresses must be told from one of a thousand.
    schema_editor.execute(f"ALTER TABLE {TABLE} ALTER COLUMN address_key SET STATISTICS 1000")
    try:
        with transaction.atomic(using=schema_editor.connection.alias):
            schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            schema_editor.execute(
                f"CREATE INDEX IF NOT EXISTS addressee_by_part ON {TABLE} USING gin (address_key gin_trgm_ops)"
            )
    except DatabaseError as trouble:
        logger.warning("Parts of addresses are searched without an index (docs/production.md): %s", trouble)


def drop_parts(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX IF EXISTS addressee_by_part")


class Migration(migrations.Migration):
    dependencies = [
        ("email_service", "0031_addressees_known"),
    ]

    operations = [
        migrations.RunPython(index_parts, drop_parts),
    ]
