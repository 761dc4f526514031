"""The columns of 发送明细 in their order, and which of them somebody sees."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Column:
    name: str
    label: str | Promise
    is_fixed: bool = False  # cannot be hidden


COLUMNS = (
    Column("message", _("Message ID"), is_fixed=True),
    Column("task", _("Task name/ID")),
    Column("method", _("Method")),
    Column("status", _("Sending status"), is_fixed=True),
    Column("template", _("Template name/ID")),
    Column("subject", _("Subject")),
    Column("sender", _("Sender")),
    Column("recipient", _("Recipient")),
    Column("created", _("Created")),
    Column("received", _("Received")),
)


def shown(chosen: Collection[str] | None) -> tuple[Column, ...]:
    """Return the columns somebody who chose these sees; all of them where nothing was chosen."""
    if chosen is None:
        return COLUMNS
    return tuple(column for column in COLUMNS if column.is_fixed or column.name in chosen)


def tidy(names: Iterable[str]) -> list[str]:
    """Return the names that are columns one may hide, in the columns' order."""
    wanted = set(names)
    return [column.name for column in COLUMNS if column.name in wanted and not column.is_fixed]
