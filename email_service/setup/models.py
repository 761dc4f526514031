"""The account's Email configuration, made by an operator before Email works."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from koomessage.common.models import EncryptedTextField


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
