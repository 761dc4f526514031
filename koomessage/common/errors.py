"""What a service says when it refuses."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise


@dataclass(frozen=True, slots=True)
class Link:
    """Where to go on from a sentence; shown to those who hold the permission, for all rows or for this one."""

    url: str
    label: "str | StrPromise"
    permission: str
    row: models.Model | None = None


class RuleViolation(Exception):
    """A rule of the product forbids what was asked; `message` is a whole sentence for the user.

    `field` names the form field it belongs to, None the whole form; `link` leads to what stands in the way.
    """

    def __init__(
        self, message: "str | StrPromise", *, field: str | None = None, link: Link | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.link = link
