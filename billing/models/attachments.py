"""What proves why a balance was changed: kept beside the ledger, whose lines cannot change."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.money import MoneyEntry


class MoneyAttachment(models.Model):
    """One file of one line of the money ledger, written with it and never replaced."""

    class Kind(models.TextChoices):
        JPG = "jpg", "image/jpeg"
        PNG = "png", "image/png"
        PDF = "pdf", "application/pdf"

    entry = models.OneToOneField(
        MoneyEntry,
        verbose_name=_("money ledger entry"),
        on_delete=models.PROTECT,
        related_name="attachment",
    )
    file = models.FileField(_("file"), upload_to="money/%Y/%m/")
    name = models.CharField(_("file name"), max_length=255)
    kind = models.CharField(_("kind"), max_length=3, choices=Kind)
    size = models.PositiveIntegerField(_("size"))

    class Meta:
        verbose_name = _("attachment of the money ledger")
        verbose_name_plural = _("attachments of the money ledger")
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
