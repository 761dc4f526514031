"""The keys of encrypted fields: the first of FIELD_ENCRYPTION_KEYS encrypts, every one decrypts."""

import base64
import hashlib
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models
from django.db.models.functions import Cast

BATCH = 500


@dataclass(slots=True)
class Count:
    """What became of the values of one field; `unreadable`: no key that is known fits."""

    renewed: int = 0
    current: int = 0
    unreadable: int = 0


def encrypt(text: str) -> str:
    return MultiFernet(_keys()).encrypt(text.encode()).decode()


def decrypt(stored: str) -> str:
    return MultiFernet(_keys()).decrypt(stored.encode()).decode()


def renew(model: type[models.Model], field: str) -> Count:
    """Encrypt the field's values anew where another key than the first did; safe to stop and to repeat."""
    count, last = Count(), 0
    # Read as they are stored: the field itself would decrypt them.
    rows = model._default_manager.annotate(stored=Cast(field, models.TextField())).exclude(stored="")
    while batch := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", "stored")[:BATCH]):
        for pk, stored in batch:
            if stored is None or _fits(_keys()[0], stored):
                count.current += stored is not None
            elif not _fits(MultiFernet(_keys()), stored):
                count.unreadable += 1
            else:
                # Only where nobody has written another value meanwhile.
                count.renewed += rows.filter(pk=pk, stored=stored).update(**{field: decrypt(stored)})
        last = batch[-1][0]
    return count


def _keys() -> list[Fernet]:
    hashed = (hashlib.sha256(key.encode()).digest() for key in settings.FIELD_ENCRYPTION_KEYS)
    return [Fernet(base64.urlsafe_b64encode(key)) for key in hashed]


def _fits(key: Fernet | MultiFernet, stored: str) -> bool:
    try:
        key.decrypt(stored.encode())
    except InvalidToken:
        return False
    return True
