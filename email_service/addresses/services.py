"""What people decide about sender addresses."""

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from email_service.addresses.models import Address
from email_service.addresses.spelling import clean_alias, clean_prefix
from email_service.addresses.uses import find_use
from email_service.domains.models import Domain
from iam import audit
from iam.models import Tenant, User
from koomessage.common.errors import RuleViolation
from koomessage.common.mailbox import BadAddress, normalise


@transaction.atomic
def create_address(
    *, tenant: Tenant, user: User | None, domain: int, prefix: str, alias: str = ""
) -> Address:
    """Add a sender address at one of the account's verified domains (`domain` is its id).

    Raises RuleViolation when the domain is not verified now, the spelling is no address, or the account
    has the address already, however its letters are written.
    """
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    home = Domain.objects.for_tenant(tenant).verified().select_for_update().filter(pk=domain).first()
    if home is None:
        raise RuleViolation(_("Choose a domain that is verified."), field="domain")
    prefix, alias = clean_prefix(prefix), clean_alias(alias)
    text = f"{prefix}@{home.name}"
    try:
        normalise(text)
    except BadAddress as error:
        raise RuleViolation(
            _("No mail can be sent from this address. Choose another prefix."), field="prefix"
        ) from error
    if Address.objects.for_tenant(tenant).filter(address__iexact=text).exists():
        raise RuleViolation(_("This sender address exists already."), field="prefix")

    address = Address.objects.create(tenant=tenant, domain=home, prefix=prefix, address=text, alias=alias)
    audit.record(tenant=tenant, user=user, action="kooMessage:emailAddress:create", target=text)
    return address


@transaction.atomic
def delete_address(address: Address, *, user: User | None) -> None:
    """Delete the address; refused with RuleViolation while something unfinished uses it."""
    address = Address.objects.select_for_update().get(pk=address.pk)
    refusal = find_use(address)
    if refusal:
        raise refusal
    address.delete()
    audit.record(
        tenant=address.tenant, user=user, action="kooMessage:emailAddress:delete", target=address.address
    )
