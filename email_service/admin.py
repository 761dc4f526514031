"""Where Django looks for admin pages: re-exports only."""

from email_service.mail_templates.admin import TemplateAdmin
from email_service.mail_templates.admin_review import TemplateVersionAdmin
from email_service.setup.admin import EmailServiceAdmin, TransportAdmin

__all__ = ["EmailServiceAdmin", "TemplateAdmin", "TemplateVersionAdmin", "TransportAdmin"]
