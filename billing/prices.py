"""What things cost: the only place where amounts are reckoned, for pages, orders and the calculator alike.

Amounts are `Decimal`s of whole cents. A price is an exact number of cents and a quantity is whole, so a sum is
exact; a package's price per mail is rounded (half up, to a hundredth of a cent) to be shown only. Pay-as-you-go
has prices of a hundredth of a cent: what one settlement line costs is rounded once, half up to the cent, and nothing
is carried into the next line.
"""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal

CURRENCY = "CNY"
PLACES = 2
CENT = Decimal("0.01")
ZERO = Decimal("0.00")
MAIL_PLACES = 4
# From how many mails of a month on, and what each beyond them costs.
Tier = tuple[int, Decimal]
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


def usage_amount(tiers: Sequence[Tier], units: int, *, used_before: int) -> Decimal:
    """Return what so many mails cost as you go, after so many in the same month of the account.

    Each mail costs what its own tier says: with tiers from 0 and from 100 the hundred-and-first mail is the first
    of the second. The lowest tier begins with the first mail. Raises ValueError for what cannot be priced.
    """
    if units < 0 or used_before < 0:
        raise ValueError(f"{units} mails after {used_before} cannot be priced")
    ordered = sorted(tiers)
    if not ordered or any(not price.is_finite() or price < 0 for _, price in ordered):
        raise ValueError(f"{tiers} are no prices")
    first, last = used_before, used_before + units
    exact = Decimal(0)
    for place, (start, price) in enumerate(ordered):
        begins = start if place else 0
        ends = ordered[place + 1][0] if place + 1 < len(ordered) else last
        exact += max(0, min(ends, last) - max(begins, first)) * price
    return exact.quantize(CENT, rounding=ROUND_HALF_UP)


def cents(total: Decimal | None) -> Decimal:
    """Return a sum the database made: none is nothing, and SQLite adds in binary, a hair beside the cent."""
    return (total or ZERO).quantize(CENT, rounding=ROUND_HALF_UP)


def written(amount: Decimal, currency: str) -> str:
    """Write an amount as people read it: ¥1,234.50, -¥3.00, ¥0.0125."""
    sign = _SIGNS.get(currency, f"{currency} ")
    return f"{'-' if amount < 0 else ''}{sign}{abs(amount):,}"
