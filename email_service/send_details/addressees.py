"""Which addresses an account has written to, each once: there a part of an address is looked for.

Writing one into the index of parts takes as long as its message does. So those of a large file are added after it
is read, a batch at a time; until then its messages are found among the newest, where a search looks first.
"""

from collections.abc import Iterable

from django.db import connection, models, transaction

from email_service.send_details.models import Addressee, Message, UnknownAddressees

# So many are added with their messages; more, by `remember_some`.
FEW = 1_000
BATCH = 5_000


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


def remember_later(task_id: int) -> None:
    """Have the task's addresses added once nobody waits for it, in the caller's transaction."""
    UnknownAddressees.objects.bulk_create([UnknownAddressees(task_id=task_id)], ignore_conflicts=True)


def unknown() -> models.QuerySet[UnknownAddressees]:
    """Return the marks of tasks whose file is read, or will not be read any more."""
    return UnknownAddressees.objects.exclude(task__status="preparing")


@transaction.atomic
def remember_some() -> bool:
    """Add a batch of the addresses that are to be known yet; answer whether there was one.

    Safe to run twice at once: who comes second takes another task's, or waits. A task that is still read waits: an
    address could come before those that were added.
    """
    has_skip = connection.features.has_select_for_update_skip_locked
    rows = unknown().order_by("pk")
    left = rows.select_for_update(of=("self",), skip_locked=has_skip).select_related("task").first()
    if left is None:
        return False
    keys = Message.objects.filter(task=left.task_id, recipient_key__gt=left.after).order_by("recipient_key")
    found = list(keys.values_list("recipient_key", flat=True)[:BATCH])
    remember(left.task.tenant_id, found)
    if len(found) < BATCH:
        left.delete()
    else:
        left.after = found[-1]
        left.save(update_fields=["after"])
    return True


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
