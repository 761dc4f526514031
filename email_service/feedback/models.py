"""Addresses an account may not write to again, and full mailboxes on the way there."""

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from koomessage.common.models import TenantOwned, TenantQuerySet


class SuppressionQuerySet(TenantQuerySet):
    def matching(self, text: str) -> Self:
        return self.filter(address_key__contains=text.strip().lower())


class Suppression(TenantOwned):
    class Reason(models.TextChoices):
        UNSUBSCRIBED = "unsubscribe", _("Unsubscribed")
        MANUAL = "manual", _("Added by hand")
        BOUNCED = "bounce", _("Hard bounce")
        FULL = "full", _("Mailbox full for long")
        COMPLAINED = "complaint", _("Complained")

    address = models.CharField(_("e-mail address"), max_length=320)
    address_key = models.CharField(max_length=320)  # as Message.recipient_key
    reason = models.CharField(_("reason"), max_length=12, choices=Reason)
    note = models.CharField(_("note"), max_length=255, blank=True)
    # The mail whose end put it here, where it was one.
    message = models.ForeignKey(
        "email_service.Message", null=True, on_delete=models.SET_NULL, related_name="suppressions"
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        verbose_name = _("suppressed address")
        verbose_name_plural = _("suppression list")
        default_permissions = ("list", "view", "add", "delete", "export")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "address_key"], name="suppressed_once_a_tenant")
        ]
        indexes = [models.Index(fields=["tenant", "-created_at", "-id"], name="suppression_by_tenant")]

    def __str__(self) -> str:
        return self.address


class FullMailbox(TenantOwned):
    """How many of an account's mails ended at a mailbox that was full, and since when; see `bounces`."""

    address_key = models.CharField(max_length=320)  # as Message.recipient_key
    times = models.PositiveIntegerField(default=0)
    since = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["tenant", "address_key"], name="full_mailbox_once_a_tenant")
        ]

    def __str__(self) -> str:
        return self.address_key
