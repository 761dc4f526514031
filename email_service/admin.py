"""Where Django looks for admin pages: re-exports only."""

from email_service.setup.admin import EmailServiceAdmin, TransportAdmin

__all__ = ["EmailServiceAdmin", "TransportAdmin"]
