"""Sender addresses as a file: out, and in through the service, for each account as the account itself could."""

from typing import Any

from django.utils.translation import gettext as _

from email_service.addresses import services
from email_service.addresses.models import Address
from email_service.domains.models import Domain
from email_service.domains.names import normalise
from iam.models import Tenant, User
from koomessage.common.errors import RuleViolation
from koomessage.common.exchange import PlainResource, ServiceResource, column, moment


class AddressResource(PlainResource):
    account = column("tenant__account", "account")
    address = column("address")
    alias = column("alias")
    created_at = moment("created_at")

    class Meta:
        model = Address
        fields = ("account", "address", "alias", "created_at")
        export_order = fields


class AddressImport(ServiceResource):
    """Rows of AddressResource; an address that is there with the same alias is passed over."""

    required = ("account", "address")
    account = column("tenant__account", "account")
    address = column("address")
    alias = column("alias")

    class Meta:
        model = Address
        fields = ("account", "address", "alias")
        import_order = fields
        import_id_fields = ("account", "address")

    def find(self, row: dict[str, Any]) -> Address | None:
        rows = Address.objects.for_tenant(_account(row)).select_related("tenant")
        return rows.filter(address__iexact=row["address"]).first()

    def is_same(self, known: Address, row: dict[str, Any]) -> bool:
        return known.alias == row["alias"]

    def store(self, known: Address | None, row: dict[str, Any], user: User) -> Address:
        tenant = _account(row)
        prefix, at, name = row["address"].rpartition("@")
        if not at:
            raise RuleViolation(_("Write the address whole: prefix@domain."), field="address")
        try:
            domain = Domain.objects.for_tenant(tenant).filter(name=normalise(name)).first()
            if domain is None:
                raise RuleViolation(_("The account has no such domain."), field="address")
            return services.create_address(
                tenant=tenant, user=user, domain=domain.pk, prefix=prefix, alias=row["alias"]
            )
        except RuleViolation as refusal:
            # The file has one column for what the form asks in two fields.
            field = "alias" if refusal.field == "alias" else "address"
            raise RuleViolation(refusal.message, field=field) from refusal


def _account(row: dict[str, Any]) -> Tenant:
    tenant = Tenant.objects.filter(account__iexact=row["account"]).first()
    if tenant is None:
        raise RuleViolation(_("There is no account of this name."), field="account")
    return tenant
