"""Sending domains as a file, out only.

They do not come in: a domain is of use only to the account that publishes its records, each one costs a new key, and
an account registers its ten by hand in a minute. The key and the token that proves ownership never leave the database.
"""

from email_service.domains.models import Domain
from koomessage.common.exchange import PlainResource, column, moment


class DomainResource(PlainResource):
    account = column("tenant__account", "account")
    name = column("name")
    display_name = column("display_name")
    status = column("status")
    verified_at = moment("verified_at")
    checked_at = moment("checked_at")
    created_at = moment("created_at")

    class Meta:
        model = Domain
        fields = ("account", "name", "display_name", "status", "verified_at", "checked_at", "created_at")
        export_order = fields
