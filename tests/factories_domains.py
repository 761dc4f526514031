"""Domains and sender addresses for tests."""

from itertools import count
from typing import Any

from django.utils import timezone

from email_service.addresses.models import Address
from email_service.delivery import dkim
from email_service.domains.models import DkimKey, Domain, DomainRecord
from email_service.domains.rotation import selectors
from email_service.domains.verification import expected_of
from iam.models import Tenant
from tests.factories import make_tenant

_numbers = count(1)
# One key for all rows: making a key takes longer than the test.
PRIVATE_KEY, PUBLIC_KEY = dkim.generate_key()


def make_domain(tenant: Tenant | None = None, **overrides: Any) -> Domain:
    """An unverified domain with its key and records; verified=True for one that was verified."""
    number = next(_numbers)
    fields: dict[str, Any] = {"name": f"shop{number}.example", "token": f"token{number}"}
    if overrides.pop("verified", False):
        fields |= {
            "status": Domain.Status.VERIFIED,
            "verified_at": timezone.now(),
            "checked_at": timezone.now(),
        }
    fields |= overrides
    fields.setdefault("display_name", fields["name"])
    domain = Domain.objects.create(tenant=tenant or make_tenant(), **fields)
    DkimKey.objects.create(
        domain=domain, selector=selectors()[0], private_key=PRIVATE_KEY.decode(), public_key=PUBLIC_KEY
    )
    status = "ok" if domain.is_verified else "unknown"
    for position, record in enumerate(expected_of(domain)):
        DomainRecord.objects.create(
            domain=domain,
            purpose=record.purpose,
            position=position,
            kind=record.kind,
            name=record.name,
            expected=record.value,
            current=record.value if domain.is_verified else "",
            status=status,
        )
    return domain


def make_address(domain: Domain | None = None, **overrides: Any) -> Address:
    """An address at a verified domain."""
    domain = domain or make_domain(verified=True)
    fields: dict[str, Any] = {"prefix": f"news{next(_numbers)}", "alias": "Acme News"} | overrides
    fields.setdefault("address", f"{fields['prefix']}@{domain.name}")
    return Address.objects.create(tenant=domain.tenant, domain=domain, **fields)
