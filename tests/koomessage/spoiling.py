"""Strangers' texts in every text of every row: what no page may take for markup."""

from typing import Any

from django.apps import apps
from django.db import connection, models

from billing import append_only

EVIL = '"><script>alert(1)</script>{{7*7}}<img src=x onerror=alert(2)>'
EVILS = (EVIL, '"><script>alert(1)</script>', '"><svg onload=x>')
# Fields that hold words for programs, and bodies, which are written by the services that clean them.
LEFT_ALONE = {
    "password", "purpose", "kind", "reason", "verdict", "selector", "token", "body", "private_key",
    "worker", "content_type", "time_zone", "number", "code", "currency", "header", "bad_counts",
}  # fmt: skip
SPOKEN = {"reason": ("templateversion", "enterpriseapplication", "moneyentry")}


def spoil_everything(texts: tuple[str, ...] = EVILS) -> None:
    """Write into every text of every row the longest of the texts that fits, past all forms and services."""
    append_only.unguard(connection)
    for label in ("iam", "billing", "email_service"):
        for table in apps.get_app_config(label).get_models():
            _spoil(table, texts)


def _spoil(table: type[models.Model], texts: tuple[str, ...]) -> None:
    for row in table._base_manager.all():
        values = {column.name: _spoilt(column, row, texts) for column in table._meta.concrete_fields}
        values = {name: value for name, value in values.items() if value is not None}
        if values:
            table._base_manager.filter(pk=row.pk).update(**values)


def _spoilt(column: models.Field, row: models.Model, texts: tuple[str, ...]) -> Any:
    """Return what to write instead of a column's text, None where it is left as it is."""
    if column.choices or (
        column.name in LEFT_ALONE and row._meta.model_name not in SPOKEN.get(column.name, ())
    ):
        return None
    if isinstance(column, models.JSONField):
        if column.name == "document":
            statement = {"Effect": "Allow", "Action": [texts[0]], "Resource": [texts[0]]}
            return {"Version": "1.1", "Statement": [statement]}
        return [texts[0]] if column.default is list else dict.fromkeys(("note", "login", "reason"), texts[0])
    if not isinstance(column, models.CharField | models.TextField):
        return None
    fits = [
        text for text in texts if column.max_length is None or len(f"{row.pk}{text}") <= column.max_length
    ]
    return f"{row.pk}{fits[0]}" if fits else None
