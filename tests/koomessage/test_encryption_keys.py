"""`manage.py rotate_encryption_keys`, and what encrypted fields promise."""

from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import InvalidToken
from django.apps import apps
from django.core.management import call_command
from django.db import connection

from email_service.domains.models import DkimKey
from koomessage.common import encryption
from koomessage.common.models import EncryptedTextField
from tests.factories_domains import PRIVATE_KEY, make_domain

pytestmark = pytest.mark.django_db
FIELDS = [
    f"{model._meta.label}.{field.name}"
    for model in apps.get_models()
    for field in model._meta.local_fields
    if isinstance(field, EncryptedTextField)
]


def run() -> tuple[dict[str, str], int]:
    out, status = StringIO(), 0
    try:
        call_command("rotate_encryption_keys", stdout=out, stderr=StringIO())
    except SystemExit as end:
        status = int(str(end.code))
    return dict(line.split(": ", 1) for line in out.getvalue().splitlines()), status


def stored() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT private_key FROM email_service_dkimkey ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


def test_afterwards_the_old_key_is_not_needed(settings: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(encryption, "BATCH", 2)
    settings.FIELD_ENCRYPTION_KEYS = ["old"]
    for _number in range(5):
        make_domain()
    settings.FIELD_ENCRYPTION_KEYS = ["new", "old"]

    counts, status = run()

    assert status == 0
    assert sorted(counts) == sorted(FIELDS)
    assert counts["email_service.DkimKey.private_key"] == "5 encrypted anew, 0 were already, 0 unreadable"
    settings.FIELD_ENCRYPTION_KEYS = ["new"]
    assert {key.private_key for key in DkimKey.objects.all()} == {PRIVATE_KEY.decode()}
    settings.FIELD_ENCRYPTION_KEYS = ["old"]
    with pytest.raises(InvalidToken):
        list(DkimKey.objects.all())


def test_a_second_run_changes_nothing(settings: Any):
    settings.FIELD_ENCRYPTION_KEYS = ["old"]
    make_domain()
    settings.FIELD_ENCRYPTION_KEYS = ["new", "old"]
    run()
    before = stored()

    counts, status = run()

    assert (status, stored()) == (0, before)
    assert counts["email_service.DkimKey.private_key"] == "0 encrypted anew, 1 were already, 0 unreadable"


def test_values_that_no_key_fits_are_counted_and_left_alone(settings: Any):
    settings.FIELD_ENCRYPTION_KEYS = ["lost"]
    make_domain()
    before = stored()
    settings.FIELD_ENCRYPTION_KEYS = ["new"]

    counts, status = run()

    assert (status, stored()) == (1, before)
    assert counts["email_service.DkimKey.private_key"].endswith("1 unreadable")
