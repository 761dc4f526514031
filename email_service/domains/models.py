"""Sending domains, their DKIM keys, and what DNS last said of them."""

from datetime import timedelta
from typing import Self

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from koomessage.common.models import EncryptedTextField, TenantOwned, TenantQuerySet

# A check that has not ended by then died with its worker; the list says so instead of spinning.
CHECK_LASTS_AT_MOST = timedelta(minutes=5)


class DomainQuerySet(TenantQuerySet):
    def verified(self) -> Self:
        return self.filter(status=Domain.Status.VERIFIED)

    def matching(self, text: str) -> Self:
        return self.filter(models.Q(name__icontains=text) | models.Q(display_name__icontains=text))


class Domain(TenantOwned):
    class Status(models.TextChoices):
        UNVERIFIED = "unverified", _("Verification not passed")
        CHECKING = "checking", _("Verifying")
        VERIFIED = "verified", _("Verification passed")

    name = models.CharField(_("sending domain"), max_length=66)  # the A-label
    display_name = models.CharField(max_length=66)  # the U-label, for people
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.UNVERIFIED)
    token = models.CharField(max_length=32)  # first label of the tracking CNAME's target: proves ownership
    checking_since = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(_("last checked"), null=True)
    verified_at = models.DateTimeField(_("verified"), null=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = DomainQuerySet.as_manager()

    class Meta:
        verbose_name = _("sending domain")
        verbose_name_plural = _("sending domains")
        default_permissions = ("list", "view", "add", "change", "delete", "verify")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="domain_once_a_tenant"),
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(status="verified"), name="domain_verified_by_one_tenant"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "-created_at", "-id"], name="domain_by_tenant")]

    def __str__(self) -> str:
        return self.display_name

    def get_absolute_url(self) -> str:
        return reverse("email:domain_detail", args=[self.pk])

    @property
    def is_verified(self) -> bool:
        return self.status == self.Status.VERIFIED

    @property
    def is_checking(self) -> bool:
        """True while a check runs; one that outlived CHECK_LASTS_AT_MOST counts as ended."""
        return self.checking_since is not None and timezone.now() - self.checking_since < CHECK_LASTS_AT_MOST

    @property
    def shown_status(self) -> "Domain.Status":
        """What people see; `status` keeps the last outcome, so that a verified domain sends on meanwhile."""
        return self.Status.CHECKING if self.is_checking else self.Status(self.status)


class DkimKey(models.Model):
    """One RSA-2048 key of a domain; the private part is encrypted at rest."""

    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="dkim_keys")
    selector = models.CharField(max_length=63)
    private_key = EncryptedTextField()  # PEM
    public_key = models.TextField()  # base64 as it stands in p=
    is_active = models.BooleanField(default=True)  # signs new mail
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["domain", "selector"], name="dkim_selector_once_a_domain"),
            models.UniqueConstraint(
                fields=["domain"], condition=models.Q(is_active=True), name="one_signing_key_a_domain"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.selector}._domainkey"


class DomainRecord(models.Model):
    """One DNS record the platform expects, and what was found."""

    class Status(models.TextChoices):
        OK = "ok", _("Success")
        FAILED = "failed", _("Failed")
        UNKNOWN = "unknown", _("Unknown")

    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="records")
    purpose = models.CharField(max_length=10)  # dmarc, tracking, mx, spf, dkim
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(_("type"), max_length=5)  # CNAME, MX, TXT
    name = models.CharField(_("name"), max_length=255)
    expected = models.TextField(_("expected value"))
    current = models.TextField(_("current value"), blank=True)
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.UNKNOWN)
    reason = models.CharField(max_length=40, blank=True)  # a key of reasons.REASONS
    reason_values = models.JSONField(default=dict, blank=True)  # what its sentence counts and names
    checked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["domain", "purpose"], name="record_once_a_domain")]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
