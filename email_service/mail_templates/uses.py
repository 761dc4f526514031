"""Who uses a template or a picture: sections above register a question here, as imports may not lead upwards."""

from collections.abc import Callable

from django.utils.functional import Promise

from email_service.mail_templates.models import Picture, Template
from koomessage.common.errors import RuleViolation

# Returns a whole sentence that says what uses the template, None where nothing does.
Use = Callable[[Template], str | Promise | None]
# Returns the refusal that says which mails yet to be sent show the picture.
PictureUse = Callable[[Picture], RuleViolation | None]
_uses: list[Use] = []
_picture_uses: list[PictureUse] = []


def add_use(use: Use) -> None:
    """Ask this too before a template is deleted (called from an AppConfig)."""
    if use not in _uses:
        _uses.append(use)


def find_use(template: Template) -> str | Promise | None:
    """Return the first sentence that says who uses the template; a task keeps its version all the same."""
    return next((sentence for use in _uses if (sentence := use(template))), None)


def add_picture_use(use: PictureUse) -> None:
    """Ask this too before a picture is deleted (called from an AppConfig)."""
    if use not in _picture_uses:
        _picture_uses.append(use)


def find_picture_use(picture: Picture) -> RuleViolation | None:
    return next((refusal for use in _picture_uses if (refusal := use(picture))), None)
