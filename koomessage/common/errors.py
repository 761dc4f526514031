"""What a service says when it refuses."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise


class RuleViolation(Exception):
    """A rule of the product forbids what was asked; `message` is a whole sentence for the user.

    `field` names the form field it belongs to, None the whole form.
    """

    def __init__(self, message: "str | StrPromise", *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
