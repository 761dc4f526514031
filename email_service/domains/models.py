"""Sending domains, their DKIM keys, and what DNS last said of them."""

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from koomessage.common.models import EncryptedTextField, TenantOwned, TenantQuerySet

# A check that has not ended by then died with its worker; the list says so instead of spinning.
CHECK_LASTS_AT_MOST = timedelta(minutes=5)
# Where something may change soon (a loss, a claim, a new key), a re-check follows within these.
SOON = timedelta(hours=1)
AT_ONCE = timedelta(minutes=5)


class DomainQuerySet(TenantQuerySet):
    def verified(self) -> Self:
        return self.filter(status=Domain.Status.VERIFIED)

    def matching(self, text: str) -> Self:
        return self.filter(models.Q(name__icontains=text) | models.Q(display_name__icontains=text))

    def lost(self) -> Self:
        """Keep the domains whose records were there and are gone: still verified, or blocked already."""
        return self.filter(lost_since__isnull=False)

    def untold(self) -> Self:
        """Keep those whose account was not told yet how things stand with a loss."""
        at_risk = models.Q(status=Domain.Status.VERIFIED, told=Domain.Told.NOTHING)
        blocked = models.Q(status=Domain.Status.UNVERIFIED) & ~models.Q(told=Domain.Told.BLOCKED)
        return self.lost().filter(at_risk | blocked)

    def due_for_recheck(self) -> Self:
        """Keep the domains to look up again by themselves, those that wait longest first."""
        now = timezone.now()
        namesakes = Domain.objects.filter(name=models.OuterRef("name")).exclude(pk=models.OuterRef("pk"))
        is_verified = models.Q(status=Domain.Status.VERIFIED)
        is_lost = models.Q(lost_since__isnull=False)
        is_claimed = models.Exists(namesakes.filter(claimed_at__isnull=False))
        is_held = models.Exists(namesakes.filter(status=Domain.Status.VERIFIED))
        is_rotating = models.Exists(
            DkimKey.objects.filter(domain=models.OuterRef("pk"), state=DkimKey.State.NEXT)
        )
        is_over = models.Q(lost_since__lte=now - Domain.grace())
        daily = (is_verified | is_lost) & _not_checked_for(timedelta(hours=settings.DOMAIN_RECHECK_HOURS))
        soon = is_verified & (is_lost | is_claimed | is_rotating) & _not_checked_for(SOON)
        at_once = ((is_verified & is_over) | (~is_verified & ~is_held & _is_claiming())) & _not_checked_for(
            AT_ONCE
        )
        return self.filter(daily | soon | at_once).order_by(
            models.F("checked_at").asc(nulls_first=True), "pk"
        )


def _not_checked_for(time: timedelta) -> models.Q:
    return models.Q(checked_at=None) | models.Q(checked_at__lte=timezone.now() - time)


def _is_claiming() -> models.Q:
    return models.Q(claimed_at__isnull=False)


class Domain(TenantOwned):
    class Status(models.TextChoices):
        UNVERIFIED = "unverified", _("Verification not passed")
        CHECKING = "checking", _("Verifying")
        VERIFIED = "verified", _("Verification passed")

    class Told(models.TextChoices):
        """What the account was last told of a loss, so that each mail goes out once."""

        NOTHING = ""
        AT_RISK = "at_risk"
        BLOCKED = "blocked"

    name = models.CharField(_("sending domain"), max_length=66)  # the A-label
    display_name = models.CharField(max_length=66)  # the U-label, for people
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.UNVERIFIED)
    token = models.CharField(max_length=32)  # first label of the tracking CNAME's target: proves ownership
    checking_since = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(_("last checked"), null=True)
    verified_at = models.DateTimeField(_("verified"), null=True)
    # Since when a record of the verified domain is definitely gone; kept when that has blocked the domain.
    lost_since = models.DateTimeField(_("records lost"), null=True)
    told = models.CharField(max_length=8, choices=Told, default=Told.NOTHING, blank=True)
    # Since when all records are right while another account holds the name.
    claimed_at = models.DateTimeField(null=True)
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
        indexes = [
            models.Index(fields=["tenant", "-created_at", "-id"], name="domain_by_tenant"),
            models.Index(fields=["name"], name="domain_by_name"),
        ]

    def __str__(self) -> str:
        return self.display_name

    def get_absolute_url(self) -> str:
        return reverse("email:domain_detail", args=[self.pk])

    @property
    def is_verified(self) -> bool:
        return self.status == self.Status.VERIFIED

    @staticmethod
    def grace() -> timedelta:
        """How long a domain whose records are gone still sends, and keeps its name."""
        return timedelta(hours=settings.DOMAIN_GRACE_HOURS)

    @property
    def is_at_risk(self) -> bool:
        return self.is_verified and self.lost_since is not None

    @property
    def is_blocked(self) -> bool:
        """True where a loss has outlived the grace period."""
        return not self.is_verified and self.lost_since is not None

    @property
    def blocks_at(self) -> datetime | None:
        """When new tasks are refused unless the lost records return."""
        return self.lost_since and self.lost_since + self.grace()

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

    class State(models.TextChoices):
        SIGNING = "signing", _("Signs new mail")
        NEXT = "next", _("Waits for its record")
        RETIRING = "retiring", _("Kept for mail under way")

    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="dkim_keys")
    selector = models.CharField(max_length=63)
    private_key = EncryptedTextField()  # PEM
    public_key = models.TextField()  # base64 as it stands in p=
    state = models.CharField(max_length=8, choices=State, default=State.SIGNING)
    keep_until = models.DateTimeField(null=True)  # of a retiring key
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["domain", "selector"], name="dkim_selector_once_a_domain"),
            models.UniqueConstraint(
                fields=["domain"], condition=models.Q(state="signing"), name="one_signing_key_a_domain"
            ),
            models.UniqueConstraint(
                fields=["domain"], condition=models.Q(state="next"), name="one_next_key_a_domain"
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
    purpose = models.CharField(max_length=10)  # a records.Purpose
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
