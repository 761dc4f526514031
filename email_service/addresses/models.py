"""Sender addresses."""

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from koomessage.common.models import TenantOwned, TenantQuerySet


class AddressQuerySet(TenantQuerySet):
    def usable(self) -> Self:
        """Keep the addresses whose domain is verified now."""
        return self.filter(domain__status="verified")

    def matching(self, text: str) -> Self:
        return self.filter(models.Q(address__icontains=text) | models.Q(alias__icontains=text))


class Address(TenantOwned):
    domain = models.ForeignKey(
        "email_service.Domain",
        verbose_name=_("sending domain"),
        on_delete=models.PROTECT,
        related_name="addresses",
    )
    prefix = models.CharField(_("address prefix"), max_length=64)
    address = models.CharField(_("sender address"), max_length=131)  # prefix@A-label
    alias = models.CharField(_("sender alias"), max_length=64, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = AddressQuerySet.as_manager()

    class Meta:
        verbose_name = _("sender address")
        verbose_name_plural = _("sender addresses")
        default_permissions = ("list", "view", "add", "change", "delete")
        constraints = [models.UniqueConstraint(fields=["tenant", "address"], name="address_once_a_tenant")]
        indexes = [models.Index(fields=["tenant", "-created_at", "-id"], name="address_by_tenant")]

    def __str__(self) -> str:
        return f"{self.alias} <{self.address}>" if self.alias else self.address
