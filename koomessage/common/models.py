"""Rows that belong to a tenant, and fields that keep a secret."""

from typing import Any, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from koomessage.common.encryption import decrypt, encrypt


class TenantQuerySet(models.QuerySet):
    def for_tenant(self, tenant: models.Model) -> Self:
        """Keep what this tenant owns: the first filter of every query a page makes."""
        return self.filter(tenant=tenant)


class TenantOwned(models.Model):
    """A row of one tenant; a tenant that has rows cannot be deleted. Its manager is a TenantQuerySet's."""

    tenant = models.ForeignKey(
        "iam.Tenant", verbose_name=_("account"), on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        abstract = True


class EncryptedTextField(models.TextField):
    """Text stored encrypted with the first of FIELD_ENCRYPTION_KEYS, readable with any of them."""

    def get_prep_value(self, value: Any) -> Any:
        return value if value in (None, "") else encrypt(str(value))

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return value if value in (None, "") else decrypt(value)
