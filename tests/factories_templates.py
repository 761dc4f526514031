"""Templates for tests, made by the services that make them for people."""

import hashlib
import io
from itertools import count
from typing import Any

from PIL import Image

from email_service.mail_templates.models import Picture, Template, TemplateDraft
from email_service.mail_templates.services import save_public_template, save_template
from iam.models import Tenant, User
from tests.factories import make_user


def make_template(tenant: Tenant | None = None, *, user: User | None = None, **overrides: Any) -> Template:
    """A template of the account, a public one without; approved unless the account is sensitive."""
    fields: dict[str, Any] = {
        "title": "Order shipped",
        "body_type": "rich",
        "body": "<p>Hello {{name}}</p>",
        "can_unsubscribe": False,
        **overrides,
    }
    if tenant is None:
        return save_public_template(**fields).template
    author = user or User.objects.filter(tenant=tenant).first() or make_user(tenant)
    return save_template(tenant=tenant, user=author, **fields).template


PICTURE_FILE = "pictures/sample.png"
_numbers = count(1)


def picture_bytes(size: tuple[int, int] = (40, 30), *, kind: str = "PNG", **options: Any) -> bytes:
    """A picture file."""
    target = io.BytesIO()
    Image.new("RGB", size, "#0b7a75").save(target, kind, **options)
    return target.getvalue()


def make_picture(tenant: Tenant, **overrides: Any) -> Picture:
    """A stored picture's row; its file is only where a test puts one."""
    token = hashlib.sha256(str(next(_numbers)).encode()).hexdigest()[:43]
    fields = {
        "token": token,
        "file": PICTURE_FILE,
        "name": "logo.png",
        "kind": "png",
        "width": 40,
        "height": 30,
    }
    fields |= {"size": 100, "digest": token} | overrides
    return Picture.objects.create(tenant=tenant, **fields)


def make_draft(tenant: Tenant, *, user: User, **overrides: Any) -> TemplateDraft:
    """A large body that a job is still to clean."""
    fields = {"title": "Large", "body_type": "rich", "body": "<p>Hello {{name}}</p>", "purpose": "save"}
    return TemplateDraft.objects.create(tenant=tenant, user=user, language="en", **{**fields, **overrides})
