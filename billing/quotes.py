"""What a choice of specifications costs, before anything is ordered."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from billing.models import PackageSpec
from billing.prices import mix_amount, order_amount, unit_price


@dataclass(frozen=True)
class Line:
    """So many of one specification."""

    spec: PackageSpec
    quantity: int

    @property
    def amount(self) -> Decimal:
        return order_amount(self.spec.price, self.quantity)

    @property
    def units(self) -> int:
        return self.spec.units * self.quantity


@dataclass(frozen=True)
class Quote:
    """A mix of lines in one currency; the amount is what its orders will say, to the cent."""

    lines: tuple[Line, ...]
    currency: str

    @property
    def amount(self) -> Decimal:
        return mix_amount((line.spec.price, line.quantity) for line in self.lines)

    @property
    def units(self) -> int:
        return sum(line.units for line in self.lines)

    @property
    def price_per_mail(self) -> Decimal:
        return unit_price(self.amount, self.units)


def quote(choice: Sequence[tuple[PackageSpec, int]]) -> Quote | None:
    """Price a choice; nothing chosen is no quote."""
    lines = tuple(Line(spec, quantity) for spec, quantity in choice if quantity)
    return Quote(lines, lines[0].spec.currency) if lines else None
