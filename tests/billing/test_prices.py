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
