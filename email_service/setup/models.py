"""The account's Email configuration, made by an operator before Email works, and the limits of sending."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from koomessage.common.models import EncryptedTextField, TenantOwned

SLOWEST, FASTEST = Decimal("0.1"), Decimal("100000")
MOST_A_DAY = 1_000_000_000


def rate_field(**options: Any) -> models.DecimalField:
    """Messages a second; every kind of limit has the same bounds."""
    return models.DecimalField(
        _("messages a second"),
        max_digits=8,
        decimal_places=2,
        validators=[MinValueValidator(SLOWEST), MaxValueValidator(FASTEST)],
        **options,
    )


class Transport(models.Model):
    """How mail leaves the platform: through a relay (smarthost), or directly to each recipient's servers.

    A direct transport has neither host nor password; `connections` is then the most for one destination.
    """

    class Kind(models.TextChoices):
        RELAY = "relay", _("Relay")
        DIRECT = "direct", _("Direct delivery")

    class Security(models.TextChoices):
        NONE = "none", _("None")
        STARTTLS = "starttls", "STARTTLS"
        TLS = "tls", "TLS"

    name = models.CharField(_("name"), max_length=64, unique=True)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.RELAY)
    host = models.CharField(_("host"), max_length=255, blank=True)
    port = models.PositiveIntegerField(_("port"), default=25)
    security = models.CharField(_("security"), max_length=8, choices=Security, default=Security.NONE)
    username = models.CharField(_("user name"), max_length=255, blank=True)
    password = EncryptedTextField(_("password"), blank=True)
    connections = models.PositiveSmallIntegerField(_("connections a worker"), default=8)

    class Meta:
        verbose_name = _("transport")
        verbose_name_plural = _("transports")
        constraints = [
            models.CheckConstraint(
                name="a_relay_has_a_host",
                condition=models.Q(kind="direct", host="") | (models.Q(kind="relay") & ~models.Q(host="")),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class EmailService(models.Model):
    """How one account may send; without this row its Email pages say what is missing."""

    class InDoubt(models.TextChoices):
        RESEND = "resend", _("Send again (a second copy is possible)")
        HOLD = "hold", _("Hold until somebody decides")

    tenant = models.OneToOneField(
        "iam.Tenant", verbose_name=_("account"), on_delete=models.PROTECT, related_name="email_service"
    )
    sensitive = models.BooleanField(
        _("sensitive industry"),
        default=False,
        help_text=_("Every template waits for review before it can be sent."),
    )
    transport = models.ForeignKey(
        Transport, verbose_name=_("transport"), on_delete=models.PROTECT, related_name="services"
    )
    in_doubt = models.CharField(_("mail in doubt"), max_length=8, choices=InDoubt, default=InDoubt.RESEND)
    paused = models.BooleanField(_("sending paused"), default=False)
    pause_reason = models.CharField(_("reason"), max_length=255, blank=True)
    messages_per_second = rate_field(
        null=True,
        blank=True,
        help_text=_(
            "The most that all workers together send for this account. Empty: no limit. From 0.1, one message "
            "in ten seconds; a change takes effect within ten seconds, also for what is being sent."
        ),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("Email configuration")
        verbose_name_plural = _("Email configurations")

    def __str__(self) -> str:
        return str(self.tenant)


class PlatformSending(models.Model):
    """One row: whether the platform sends at all; no row, and it does."""

    paused = models.BooleanField(default=False)
    reason = models.CharField(max_length=255, blank=True)
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey("iam.User", null=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return "paused" if self.paused else "sending"


class SenderLimit(TenantOwned):
    """How fast one sending domain of an account may send, and how much a day while it is warmed up.

    The domain is named, not referred to: the limit may be there before the domain, and outlive it.
    """

    domain = models.CharField(_("sending domain"), max_length=255)  # A-label
    messages_per_second = rate_field(
        null=True, blank=True, help_text=_("The most of all workers together. Empty: no limit.")
    )
    warmup_first = models.PositiveIntegerField(
        _("messages on the first day"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_A_DAY)],
        help_text=_("The ceiling of the first day of the warm-up. Empty: no warm-up."),
    )
    warmup_growth = models.PositiveSmallIntegerField(
        _("growth in percent a day"),
        default=50,
        validators=[MaxValueValidator(1000)],
        help_text=_("50: 100 on the first day, 150 on the second, 225 on the third. 0: the same every day."),
    )
    warmup_from = models.DateField(
        _("first day"),
        null=True,
        blank=True,
        help_text=_(
            "Days begin at midnight in the platform's time zone. Before this day there is no ceiling."
        ),
    )
    warmup_until = models.DateField(
        _("last day"),
        null=True,
        blank=True,
        help_text=_("After this day there is no ceiling. Empty: no end."),
    )
    warmup_most = models.PositiveIntegerField(
        _("last ceiling"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_A_DAY)],
        help_text=_("The ceiling grows no further than this and stays. Empty: it goes on growing."),
    )

    class Meta:
        verbose_name = _("limit of a sending domain")
        verbose_name_plural = _("limits of sending domains")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "domain"], name="sender_limit_once"),
            models.CheckConstraint(
                name="a_warmup_has_a_first_day",
                condition=models.Q(warmup_first=None) | models.Q(warmup_from__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.domain

    @property
    def ceiling_today(self) -> int | None:
        return self.ceiling_on(timezone.localtime(timezone=timezone.get_default_timezone()).date())

    def ceiling_on(self, day: date) -> int | None:
        """Return how many messages the domain may send on the day; None where the warm-up sets no ceiling."""
        if self.warmup_first is None or self.warmup_from is None or day < self.warmup_from:
            return None
        if self.warmup_until is not None and day > self.warmup_until:
            return None
        most = self.warmup_most or MOST_A_DAY
        ceiling = Decimal(self.warmup_first)
        for _day in range((day - self.warmup_from).days if self.warmup_growth else 0):
            ceiling = ceiling * (100 + self.warmup_growth) / 100
            if ceiling >= most:
                break
        return min(int(ceiling), most)


class DestinationLimit(models.Model):
    """How fast the whole platform may send to one recipient domain."""

    domain = models.CharField(_("recipient domain"), max_length=255, unique=True)  # A-label
    messages_per_second = rate_field(
        help_text=_("The most that all accounts and workers together send to addresses of this domain.")
    )

    class Meta:
        verbose_name = _("limit of a destination")
        verbose_name_plural = _("limits of destinations")

    def __str__(self) -> str:
        return self.domain
