"""What an account was told by mail, so that it is told once."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from koomessage.common.models import TenantOwned, TenantQuerySet


class Notice(TenantOwned):
    """One mail to an account; the key says about what."""

    class Kind(models.TextChoices):
        EXPIRY = "expiry", _("A package ends soon")
        SHARE = "share", _("A package is mostly used")
        REMAINING = "remaining", _("Few mails remain")
        ARREARS = "arrears", _("The account is in arrears")

    kind = models.CharField(_("kind"), max_length=9, choices=Kind)
    key = models.CharField(max_length=64)
    at = models.DateTimeField(_("time"))

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["tenant", "kind", "key"], name="notice_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
