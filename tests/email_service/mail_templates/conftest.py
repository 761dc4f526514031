"""The cast of a review: staff of the group that a migration made, and versions that wait."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from email_service.mail_templates.models import TemplateVersion
from email_service.mail_templates.services import save_template
from email_service.setup.models import EmailService
from iam.models import Tenant, User
from iam.staff import REVIEW_STAFF
from tests.conftest import _client
from tests.factories import make_staff
from tests.factories_templates import make_template

QUEUE = "/admin/email_service/templateversion/"


@pytest.fixture
def reviewer(db: Any) -> User:
    """Nothing but a member of the group that the migration made."""
    staff = make_staff(login="reviewer", is_superuser=False)
    staff.groups.add(Group.objects.get(name=REVIEW_STAFF))
    return staff


@pytest.fixture
def as_reviewer(reviewer: User) -> Client:
    client = _client(reviewer)
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture
def sensitive(acme: Tenant) -> Tenant:
    EmailService.objects.filter(tenant=acme).update(sensitive=True)
    return acme


@pytest.fixture
def waiting(sensitive: Tenant, owner: User) -> list[TemplateVersion]:
    """Three versions in the order in which they came."""
    return [make_template(sensitive, user=owner, title=f"Mail {n}").version for n in (1, 2, 3)]


def page_of(version: TemplateVersion) -> str:
    return f"{QUEUE}{version.pk}/change/"


def edit(version: TemplateVersion, user: User, **overrides: Any) -> TemplateVersion:
    fields = {"title": "Mail 1", "body_type": "rich", "body": "<p>Changed</p>", "can_unsubscribe": False}
    saved = save_template(
        tenant=version.template.tenant, user=user, template=version.template, **{**fields, **overrides}
    )
    return saved.template.version
