"""Templates and their versions; a task is frozen on a version."""

from typing import Self

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from email_service.mail_templates.reasons import in_reader_language
from koomessage.common.models import TenantOwned, TenantQuerySet


class TemplateQuerySet(TenantQuerySet):
    def for_tenant(self, tenant: models.Model) -> Self:
        """Keep what the tenant owns and has not deleted."""
        return super().for_tenant(tenant).filter(is_deleted=False)

    def public(self) -> Self:
        """Keep the templates built in for everybody."""
        return self.filter(tenant=None, is_deleted=False)

    def sendable_by(self, tenant: models.Model) -> Self:
        """Keep what the tenant may send: its own approved templates, and the public ones."""
        return self.filter(
            models.Q(tenant=tenant) | models.Q(tenant=None), status=Template.Status.APPROVED, is_deleted=False
        )


class BodyType(models.TextChoices):
    RICH = "rich", _("Rich text")
    PLAIN = "plain", _("Plain text")


class Template(models.Model):
    """What lists show of a template: a copy of its current version's head. No tenant: a public template."""

    class Status(models.TextChoices):
        PENDING = "pending", _("Under review")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")

    tenant = models.ForeignKey(
        "iam.Tenant", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    code = models.CharField(_("template ID"), max_length=12, unique=True)
    title = models.CharField(_("template name"), max_length=64)
    body_type = models.CharField(_("body type"), max_length=5, choices=BodyType)
    status = models.CharField(_("review status"), max_length=8, choices=Status)
    version = models.ForeignKey(
        "email_service.TemplateVersion", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    is_deleted = models.BooleanField(default=False)  # versions that tasks used stay
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = TemplateQuerySet.as_manager()

    class Meta:
        verbose_name = _("template")
        verbose_name_plural = _("templates")
        default_permissions = ("list", "view", "add", "change", "delete")
        indexes = [models.Index(fields=["tenant", "-created_at", "-id"], name="template_by_tenant")]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("email:template_detail", args=[self.pk])


class TemplateVersionQuerySet(models.QuerySet["TemplateVersion"]):
    def awaiting_review(self) -> Self:
        """Keep the pending versions that no edit or deletion has overtaken, the longest waiting first."""
        return self.filter(
            status=Template.Status.PENDING, template__version=models.F("pk"), template__is_deleted=False
        ).order_by("pk")

    def reviewable_by(self, user: models.Model) -> Self:
        """Keep what waits and this reviewer did not write."""
        return self.awaiting_review().exclude(author=user)


class TemplateVersion(models.Model):
    """The text of a template as it was submitted once; never changed, only decided about."""

    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    title = models.CharField(_("template name"), max_length=64)
    body_type = models.CharField(_("body type"), max_length=5, choices=BodyType)
    body = models.TextField()  # sanitised HTML, or plain text
    parameters = models.JSONField(default=list)  # names in order of first use
    can_unsubscribe = models.BooleanField(_("unsubscribing"), default=False)
    status = models.CharField(_("review status"), max_length=8, choices=Template.Status)
    reason = models.CharField(max_length=500, blank=True)
    author = models.ForeignKey("iam.User", null=True, on_delete=models.SET_NULL, related_name="+")
    decided_by = models.ForeignKey(
        "iam.User", verbose_name=_("decided by"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = TemplateVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("template version")
        verbose_name_plural = _("template review")
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="version_once_a_template")]

    def __str__(self) -> str:
        return f"{self.title} v{self.number}"

    @property
    def shown_reason(self) -> str:
        """Why it was rejected, in the reader's language as far as the sentences are ready ones."""
        return in_reader_language(self.reason)

    @property
    def is_automatic(self) -> bool:
        """True where nobody had to decide: the account's industry is not sensitive."""
        return self.decided_at is not None and self.decided_by_id is None


class Picture(TenantOwned):
    """A picture in templates' bodies, served to everybody who knows its unguessable address."""

    class Kind(models.TextChoices):
        PNG = "png", "PNG"
        JPG = "jpg", "JPG"
        GIF = "gif", "GIF"

    token = models.CharField(max_length=43, unique=True)
    file = models.FileField(upload_to="pictures/%Y/%m/")
    name = models.CharField(_("file name"), max_length=120)
    kind = models.CharField(max_length=3, choices=Kind)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    size = models.PositiveIntegerField()  # octets
    digest = models.CharField(max_length=64)  # SHA-256 of the file
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")
        default_permissions = ()  # who may write templates may bring their pictures
        constraints = [models.UniqueConstraint(fields=["tenant", "digest"], name="picture_once_a_tenant")]
        indexes = [models.Index(fields=["tenant", "-created_at", "-id"], name="picture_by_tenant")]

    def __str__(self) -> str:
        return self.name

    @property
    def address(self) -> str:
        """The whole public address, as mails carry it."""
        return settings.PUBLIC_URL + reverse("public:picture", args=[self.token, self.kind])


class TemplateDraft(TenantOwned):
    """A large body that somebody submitted and a job still cleans: nothing of it is lost meanwhile."""

    class Purpose(models.TextChoices):
        SAVE = "save", _("Save")
        FILL = "fill", _("Fill the form from a file")
        VIEW = "view", _("Preview")

    class Stage(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        CLEANING = "cleaning", _("Cleaning the HTML")
        CHECKING = "checking", _("Checking it once more")
        REFUSED = "refused", _("Refused")
        DONE = "done", _("Done")

    user = models.ForeignKey("iam.User", on_delete=models.CASCADE, related_name="+")
    template = models.ForeignKey(Template, null=True, on_delete=models.CASCADE, related_name="+")
    purpose = models.CharField(max_length=4, choices=Purpose)
    title = models.CharField(max_length=300, blank=True)  # as typed, perhaps too long
    body_type = models.CharField(max_length=5, choices=BodyType)
    body = models.TextField()
    former_body = models.TextField(blank=True)  # what the form held before a file was to fill it
    can_unsubscribe = models.BooleanField(default=False)
    language = models.CharField(max_length=10)  # of whoever waits
    attempts = models.PositiveSmallIntegerField(default=0)
    tried_at = models.DateTimeField(null=True)
    stage = models.CharField(max_length=8, choices=Stage, default=Stage.WAITING)
    refusal = models.TextField(blank=True)
    removed = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["stage", "created_at"], name="draft_by_stage")]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        return self.stage not in (self.Stage.REFUSED, self.Stage.DONE)

    @property
    def percent(self) -> int:
        return {"waiting": 5, "cleaning": 30, "checking": 70}.get(self.stage, 100)
