"""Reads of the pages of templates."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import models
from django.shortcuts import get_object_or_404

from email_service.mail_templates.models import Picture, Template, TemplateDraft, TemplateVersion
from email_service.setup.models import EmailService
from iam.models import Tenant


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One line of a template's history."""

    number: int
    status: str
    label: str
    reason: str
    author: str
    created_at: datetime
    decided_at: datetime | None
    is_current: bool


def version_lines(template: Template) -> list[VersionLine]:
    """Return the template's history, newest first; who decided is the platform's affair."""
    rows = TemplateVersion.objects.filter(template=template).select_related("author").order_by("-number")[:50]
    return [
        VersionLine(
            row.number,
            row.status,
            row.get_status_display(),
            row.shown_reason,
            row.author.name if row.author else "",
            row.created_at,
            row.decided_at,
            row.pk == template.version_id,
        )
        for row in rows
    ]


def public_template(pk: int) -> Template:
    """Return a built-in template with its version, or answer 404."""
    return get_object_or_404(Template.objects.public().select_related("version"), pk=pk)


def is_sensitive(tenant: Tenant) -> bool:
    """Say whether each version of the tenant's templates waits for review."""
    return EmailService.objects.filter(tenant=tenant, sensitive=True).exists()


def picture_at(token: str, kind: str) -> Picture:
    """Return the picture at a public address, or answer 404."""
    return get_object_or_404(Picture, token=token, kind=kind)


@dataclass(frozen=True, slots=True)
class PictureRoom:
    """How much of the room for pictures an account uses, in octets."""

    used: int
    most: int

    @property
    def percent(self) -> int:
        return min(100, round(100 * self.used / self.most))


def picture_room(tenant: Tenant) -> PictureRoom:
    used = Picture.objects.for_tenant(tenant).aggregate(octets=models.Sum("size"))["octets"] or 0
    return PictureRoom(used, settings.PICTURES_MB * 2**20)


def draft_of(tenant: Tenant, pk: str) -> TemplateDraft:
    """Return a draft of the account, or answer 404."""
    rows = TemplateDraft.objects.for_tenant(tenant)
    return get_object_or_404(rows, pk=int(pk[:18]) if pk.isdecimal() else 0)
