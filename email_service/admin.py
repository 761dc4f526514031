"""Where Django looks for admin pages: re-exports only."""

from email_service.addresses.admin import AddressAdmin
from email_service.domains.admin import DomainAdmin
from email_service.mail_templates.admin import TemplateAdmin
from email_service.mail_templates.admin_review import TemplateVersionAdmin
from email_service.setup.admin import (
    DestinationLimitAdmin,
    EmailServiceAdmin,
    SenderLimitAdmin,
    TransportAdmin,
)

__all__ = [
    "AddressAdmin",
    "DestinationLimitAdmin",
    "DomainAdmin",
    "EmailServiceAdmin",
    "SenderLimitAdmin",
    "TemplateAdmin",
    "TemplateVersionAdmin",
    "TransportAdmin",
]
