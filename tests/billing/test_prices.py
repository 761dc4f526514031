"""One price function: orders, the purchase page and the calculator say the same, to the cent."""

import ast
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import prices
from billing.models import Order, PackageSpec
from billing.quotes import quote
from tests.architecture.source import ROOT

PRICES = st.decimals(min_value="0.01", max_value="9999999999.99", places=2)
QUANTITIES = st.integers(1, 10)


@given(price=PRICES, quantity=QUANTITIES)
def test_an_amount_is_the_sum_of_its_pieces(price: Decimal, quantity: int):
    amount = prices.order_amount(price, quantity)

    assert amount == sum([price] * quantity)
    assert amount.as_tuple().exponent == -2


@given(price=PRICES, quantity=QUANTITIES, units=st.integers(1, 10**9))
def test_order_purchase_page_and_calculator_agree(price: Decimal, quantity: int, units: int):
    spec = PackageSpec(name="x", units=units, price=price)
    order = Order(price=price, quantity=quantity, units=units)
    quoted = quote([(spec, quantity)])

    assert quoted is not None
    assert quoted.amount == order.amount == quoted.lines[0].amount
    assert quoted.units == order.all_units


@given(st.lists(st.tuples(PRICES, st.integers(0, 10)), max_size=6))
def test_a_mix_costs_what_its_orders_cost(mix: list[tuple[Decimal, int]]):
    assert prices.mix_amount(mix) == sum(price * quantity for price, quantity in mix)


TIERS = [(0, Decimal("0.0080")), (100, Decimal("0.0050")), (1_000, Decimal("0.0001"))]


@pytest.mark.parametrize(
    ("units", "before", "amount"),
    [
        (0, 0, "0.00"), (1, 0, "0.01"), (100, 0, "0.80"), (101, 0, "0.81"), (101, 100, "0.51"), (1, 99, "0.01"),
        (1, 100, "0.01"), (2_000, 0, "5.40"), (50, 1_000, "0.01"), (49, 1_000, "0.00"), (10**12, 0, "100000005.20"),
    ],
)  # fmt: skip
def test_each_mail_costs_what_its_tier_says(units: int, before: int, amount: str):
    assert prices.usage_amount(TIERS, units, used_before=before) == Decimal(amount)


@given(
    parts=st.lists(st.integers(0, 3_000), max_size=8),
    starts=st.lists(st.integers(0, 5_000), min_size=1, max_size=5, unique=True),
    data=st.data(),
)
def test_parts_of_a_month_cost_what_the_mails_cost_one_by_one(
    parts: list[int], starts: list[int], data: st.DataObject
):
    cost = st.decimals(min_value=0, max_value=9, places=4)
    tiers = [(start, data.draw(cost)) for start in starts]
    lowest = min(tiers)

    def price(number: int) -> Decimal:
        return max((tier for tier in tiers if tier[0] < number), default=lowest)[1]

    before = 0
    for units in parts:
        exact = sum((price(number) for number in range(before + 1, before + units + 1)), Decimal(0))
        amount = prices.usage_amount(tiers, units, used_before=before)
        assert abs(amount - exact) <= Decimal("0.005")
        assert amount.as_tuple().exponent == -2
        before += units


@pytest.mark.parametrize(
    ("tiers", "units", "before"),
    [([], 1, 0), (TIERS, -1, 0), (TIERS, 1, -1), ([(0, Decimal("NaN"))], 1, 0), ([(0, Decimal(-1))], 1, 0)],
)
def test_what_has_no_price_is_not_priced(tiers: list[prices.Tier], units: int, before: int):
    with pytest.raises(ValueError, match=r"priced|prices"):
        prices.usage_amount(tiers, units, used_before=before)


@pytest.mark.parametrize("quantity", [0, -1, 11, 10**18])
def test_a_quantity_out_of_range_has_no_amount(quantity: int):
    with pytest.raises(ValueError, match="no quantity"):
        prices.order_amount(Decimal("1.00"), quantity)


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "Infinity", "1.001"])
def test_an_odd_price_has_no_amount(price: str):
    with pytest.raises(ValueError, match="no price"):
        prices.order_amount(Decimal(price), 1)


def test_amounts_are_written_with_sign_and_groups():
    assert prices.written(Decimal("1234567.50"), "CNY") == "¥1,234,567.50"
    assert prices.written(Decimal("-3.00"), "CNY") == "-¥3.00"
    assert prices.written(Decimal("2.00"), "SGD") == "SGD 2.00"


def test_no_float_is_written_in_billing():
    floats = [
        f"{path.name}:{node.lineno}"
        for path in (ROOT / "billing").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id in ("float", "FloatField"))
        or (isinstance(node, ast.Attribute) and node.attr == "FloatField")
    ]

    assert floats == []
