"""Who uses a template: sections above register a question here, as imports may not lead upwards."""

from collections.abc import Callable

from django.utils.functional import Promise

from email_service.mail_templates.models import Template

# Returns a whole sentence that says what uses the template, None where nothing does.
Use = Callable[[Template], str | Promise | None]
_uses: list[Use] = []


def add_use(use: Use) -> None:
    """Ask this too before a template is deleted (called from an AppConfig)."""
    if use not in _uses:
        _uses.append(use)


def find_use(template: Template) -> str | Promise | None:
    """Return the first sentence that says who uses the template; a task keeps its version all the same."""
    return next((sentence for use in _uses if (sentence := use(template))), None)
