"""Templates for tests, made by the services that make them for people."""

from typing import Any

from email_service.mail_templates.models import Template
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
