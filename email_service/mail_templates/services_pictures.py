"""What may be done to pictures: bring one, and take one back."""

import hashlib
import secrets
from pathlib import PurePath

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import models, transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from email_service.mail_templates import uses
from email_service.mail_templates.models import Picture, Template
from email_service.mail_templates.pictures import encode
from iam import audit
from iam.models import Tenant, User
from koomessage.common import uploads
from koomessage.common.errors import RuleViolation

ACTION = "kooMessage:emailTemplate"
NAME_LENGTH = 120


def add_picture(*, tenant: Tenant, user: User, upload: UploadedFile) -> Picture:
    """Store the picture under an address nobody can guess; the same picture again is the same row.

    Raises RuleViolation (field "picture") for what is no picture, too large, or more than the account may store.
    """
    encoded = encode(upload)  # before the transaction: it takes longer than others should wait for a lock
    digest = hashlib.sha256(encoded.content).hexdigest()
    with transaction.atomic():
        Tenant.objects.select_for_update().get(pk=tenant.pk)
        owned = Picture.objects.for_tenant(tenant)
        known = owned.filter(digest=digest).first()
        if known:
            return known
        stored = owned.aggregate(octets=models.Sum("size"))["octets"] or 0
        if stored + len(encoded.content) > settings.PICTURES_MB * 2**20:
            sentence = _("The account's pictures may take {most} MB. Delete those that no template needs.")
            raise RuleViolation(format_lazy(sentence, most=settings.PICTURES_MB), field="picture")
        picture = Picture(
            tenant=tenant,
            token=secrets.token_urlsafe(32),
            name=_tidy_name(upload.name or ""),
            kind=encoded.kind,
            width=encoded.width,
            height=encoded.height,
            size=len(encoded.content),
            digest=digest,
        )
        # Stored files carry a name of ours; what the upload was called is only shown.
        name = f"{picture.token}.{picture.kind}"
        uploads.store(picture.file, name, ContentFile(encoded.content), field="picture")
        try:
            picture.save()
            audit.record(tenant=tenant, user=user, action=f"{ACTION}:update", target=picture.name)
        except Exception:
            uploads.discard(picture.file)
            raise
    return picture


@transaction.atomic
def delete_picture(picture: Picture, *, user: User) -> None:
    """Delete the picture for good; refused while a template of the account, or a mail yet to be sent, shows it."""
    picture = Picture.objects.select_for_update().get(pk=picture.pk)
    using = Template.objects.for_tenant(picture.tenant).filter(version__body__contains=picture.token)
    template = using.order_by("title").first()
    if template:
        sentence = _("The template {title} ({code}) shows this picture. Take it out there first.")
        raise RuleViolation(format_lazy(sentence, title=template.title, code=template.code))
    refusal = uses.find_picture_use(picture)
    if refusal:
        raise refusal
    picture.delete()
    transaction.on_commit(lambda: uploads.discard(picture.file))
    audit.record(tenant=picture.tenant, user=user, action=f"{ACTION}:update", target=picture.name)


def _tidy_name(name: str) -> str:
    shown = "".join(char for char in PurePath(name.replace("\\", "/")).name if char.isprintable())
    return shown[-NAME_LENGTH:] or "picture"
