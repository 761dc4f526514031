"""Rows of iam for tests."""

import io
from itertools import count
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from iam.models import EnterpriseApplication, Policy, Tenant, User, UserGroup
from iam.policies import FULL_ACCESS

_numbers = count(1)
NUMBER = "914403001922038216"


def png(name: str = "licence.png") -> SimpleUploadedFile:
    picture = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(picture, "PNG")
    return SimpleUploadedFile(name, picture.getvalue(), "image/png")


def make_application(tenant: Tenant, **overrides: Any) -> EnterpriseApplication:
    fields: dict[str, Any] = {
        "company_name": "Acme Trading",
        "registration_number": NUMBER,
        "licence": png(f"{next(_numbers)}.png"),
        "contact_name": "Li Lei",
        "contact_phone": "13800138000",
    }
    return EnterpriseApplication.objects.create(tenant=tenant, **{**fields, **overrides})


def make_policy(tenant: Tenant | None, **overrides: Any) -> Policy:
    fields: dict[str, Any] = {"name": f"policy {next(_numbers)}", "document": FULL_ACCESS}
    return Policy.objects.create(tenant=tenant, **{**fields, **overrides})


def make_group(
    tenant: Tenant, *, policies: list[Policy] | None = None, users: list[User] | None = None
) -> UserGroup:
    group = UserGroup.objects.create(tenant=tenant, name=f"group {next(_numbers)}")
    group.policies.set(policies or [])
    group.users.set(users or [])
    return group
