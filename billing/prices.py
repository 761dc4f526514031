"""What things cost: the only place where amounts are reckoned, for pages, orders and the calculator alike.

Amounts are `Decimal`s of whole cents. A price is an exact number of cents and a quantity is whole, so a sum is
exact; only a price per mail is rounded (half up, to a hundredth of a cent), and nothing is reckoned from it.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

CURRENCY = "CNY"
PLACES = 2
CENT = Decimal("0.01")
ZERO = Decimal("0.00")
LEAST_OF_ONE = 1
MOST_OF_ONE = 10
_SIGNS = {"CNY": "¥", "USD": "$", "EUR": "€", "HKD": "HK$"}


def order_amount(price: Decimal, quantity: int) -> Decimal:
    """Return what so many of one specification cost. Raises ValueError for what no order may hold."""
    if not price.is_finite() or price <= 0 or price != price.quantize(CENT):
        raise ValueError(f"{price} is no price")
    if not LEAST_OF_ONE <= quantity <= MOST_OF_ONE:
        raise ValueError(f"{quantity} is no quantity")
    return (price * quantity).quantize(CENT)


def mix_amount(lines: Iterable[tuple[Decimal, int]]) -> Decimal:
    """Return what a mix of (price, quantity) costs: the sum of its orders; a quantity of 0 is left out."""
    return sum((order_amount(price, quantity) for price, quantity in lines if quantity), ZERO)


def unit_price(price: Decimal, units: int) -> Decimal:
    """Return the price of one mail, to be shown only."""
    return (price / units).quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)


def written(amount: Decimal, currency: str) -> str:
    """Write an amount as people read it: ¥1,234.50, -¥3.00, ¥0.0125."""
    sign = _SIGNS.get(currency, f"{currency} ")
    return f"{'-' if amount < 0 else ''}{sign}{abs(amount):,}"
