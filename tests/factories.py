"""Rows for tests: `make_x(**overrides)`; section factories stand beside in factories_<section>.py."""

from itertools import count
from typing import Any

from django.utils import timezone

from email_service.setup.models import EmailService, Transport
from iam.models import Policy, Tenant, User

_numbers = count(1)
PASSWORD = "correct horse battery"


def make_tenant(**overrides: Any) -> Tenant:
    """An account that has activated the service."""
    number = next(_numbers)
    fields: dict[str, Any] = {
        "account": f"acme{number}",
        "name": f"Acme {number}",
        "email": f"owner{number}@acme.example",
        "verification": Tenant.Verification.VERIFIED,
        "activated_at": timezone.now(),
        "pay_as_you_go": True,
    }
    return Tenant.objects.create(**{**fields, **overrides})


def make_user(tenant: Tenant | None = None, **overrides: Any) -> User:
    """The main account unless told otherwise; policies=[…] are documents to attach."""
    documents = overrides.pop("policies", [])
    tenant = tenant or make_tenant()
    name = overrides.pop("name", f"user{next(_numbers)}")
    fields: dict[str, Any] = {
        "tenant": tenant,
        "name": name,
        "email": f"{name}@acme.example",
        "is_main": False,
    }
    user = User(login=f"{tenant.account}/{name}", **{**fields, **overrides})
    user.set_unusable_password()
    user.save()
    for document in documents:
        policy = Policy.objects.create(tenant=tenant, name=f"policy{next(_numbers)}", document=document)
        user.policies.add(policy)
    return user


def make_staff(**overrides: Any) -> User:
    name = f"operator{next(_numbers)}"
    user = User(**{"login": name, "name": name, "is_staff": True, "is_superuser": True, **overrides})
    user.set_unusable_password()
    user.save()
    return user


def make_transport(**overrides: Any) -> Transport:
    fields: dict[str, Any] = {"name": f"relay {next(_numbers)}", "host": "127.0.0.1", "port": 2525}
    return Transport.objects.create(**{**fields, **overrides})


def make_email_service(tenant: Tenant, **overrides: Any) -> EmailService:
    fields: dict[str, Any] = {"transport": overrides.pop("transport", None) or make_transport()}
    return EmailService.objects.create(tenant=tenant, **{**fields, **overrides})
