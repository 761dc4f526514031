"""Which column of a recipient file holds what. Pure rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

ADDRESS_HEADER = "收件人邮箱/email"
ADDRESS_NAMES = frozenset(
    {
        ADDRESS_HEADER,
        "收件人邮箱",
        "收件人",
        "邮箱",
        "邮箱地址",
        "email",
        "e-mail",
        "mail",
        "email address",
        "recipient",
    }
)
LONGEST_VALUE = 1_000


class BadHeader(Exception):
    """The first row does not name what is needed; `message` says what to do."""

    def __init__(self, message: "str | StrPromise", *, missing: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Layout:
    address: int
    parameters: tuple[int, ...]

    def address_in(self, cells: Sequence[str]) -> str:
        return cells[self.address] if self.address < len(cells) else ""

    def values_in(self, cells: Sequence[str]) -> tuple[str, ...]:
        try:
            return tuple([cells[column] for column in self.parameters])
        except IndexError:
            return tuple([cells[column] if column < len(cells) else "" for column in self.parameters])


def match(header: Sequence[str], parameters: Sequence[str]) -> Layout:
    """Find the address column and one column a parameter, whatever their case; others are ignored.

    Raises BadHeader naming the columns that are missing or stand there twice.
    """
    places: dict[str, int] = {}
    wanted = {name.lower() for name in parameters}
    for column, cell in enumerate(header):
        name = _tidy(cell)
        if not name:
            continue
        name = ADDRESS_HEADER if name in ADDRESS_NAMES and name not in wanted else name
        if name in places:
            raise BadHeader(
                format_lazy(
                    _("The column “{name}” stands in the file twice; keep one of them."), name=cell.strip()
                )
            )
        places[name] = column
    missing = [name for name in parameters if name.lower() not in places]
    # A parameter may be called email, too: without another column its own holds the address.
    address = places.get(
        ADDRESS_HEADER, next((places[name] for name in places if name in ADDRESS_NAMES), None)
    )
    if address is None:
        missing.insert(0, ADDRESS_HEADER)
    if address is None or missing:
        names = ", ".join(missing)
        raise BadHeader(
            format_lazy(
                _("The first row lacks: {names}. Download the sample file, fill it in and upload that."),
                names=names,
            ),
            missing=names,
        )
    return Layout(address, tuple(places[name.lower()] for name in parameters))


def _tidy(cell: str) -> str:
    """Return a header as it is compared: without case, spaces around it, or the braces of a parameter."""
    return cell.strip().strip("\ufeff").removeprefix("{{").removesuffix("}}").strip().lower()
