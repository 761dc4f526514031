"""Who may not be written to any more."""

from collections.abc import Collection

from email_service.feedback.models import Suppression

# Below every database's limit of parameters in one query.
_CHUNK = 5_000


def suppressed_keys(tenant_id: int, keys: Collection[str]) -> set[str]:
    """Return those of the keys (addresses in lower case) that are on the account's suppression list."""
    wanted = list(keys)
    found: set[str] = set()
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        rows = Suppression.objects.filter(tenant=tenant_id, address_key__in=chunk)
        found.update(rows.values_list("address_key", flat=True))
    return found
