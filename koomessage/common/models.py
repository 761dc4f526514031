"""Rows that belong to a tenant, and fields that keep a secret."""

import base64
import hashlib
from typing import Any, Self

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import models


class TenantQuerySet(models.QuerySet):
    def for_tenant(self, tenant: models.Model) -> Self:
        """Keep what this tenant owns: the first filter of every query a page makes."""
        return self.filter(tenant=tenant)


class TenantOwned(models.Model):
    """A row of one tenant; a tenant that has rows cannot be deleted. Its manager is a TenantQuerySet's."""

    tenant = models.ForeignKey("iam.Tenant", on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True


def _ring() -> MultiFernet:
    keys = (hashlib.sha256(key.encode()).digest() for key in settings.FIELD_ENCRYPTION_KEYS)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])


class EncryptedTextField(models.TextField):
    """Text stored encrypted with the first of FIELD_ENCRYPTION_KEYS, readable with any of them."""

    def get_prep_value(self, value: Any) -> Any:
        return value if value in (None, "") else _ring().encrypt(str(value).encode()).decode()

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return value if value in (None, "") else _ring().decrypt(value.encode()).decode()
