"""What pages and other sections read of the sender addresses."""

from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from email_service.addresses.models import Address
from email_service.domains.models import Domain
from iam.models import Tenant
from koomessage.common.errors import Link, RuleViolation

NAMED_AT_MOST = 3


def choices_for(tenant: Tenant) -> list[tuple[str, str]]:
    """Return the account's addresses that may send now, for a select field."""
    rows = Address.objects.for_tenant(tenant).usable().order_by("address")
    return [(str(row.pk), str(row)) for row in rows]


def addresses_at(domain: Domain) -> RuleViolation | None:
    """Refuse what would take the domain from its addresses, None where it has none (asked by the domains' section)."""
    rows = list(domain.addresses.order_by("address").values_list("address", flat=True)[: NAMED_AT_MOST + 1])
    if not rows:
        return None
    names = ", ".join(rows[:NAMED_AT_MOST]) + (" …" if len(rows) > NAMED_AT_MOST else "")
    return RuleViolation(
        _("Sender addresses use this domain: %(addresses)s. Delete them first.") % {"addresses": names},
        link=Link(
            f"{reverse('email:address_list')}?{urlencode({'address': f'@{domain.name}'})}",
            _("Show these addresses"),
            "email_service.list_address",
        ),
    )
