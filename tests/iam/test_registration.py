"""统一社会信用代码: real ones pass, one changed character does not."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iam.registration import ALPHABET, check_character, read_number
from koomessage.common.errors import RuleViolation

REAL = "914403001922038216"


def test_a_real_number_is_read_however_it_is_typed():
    assert read_number(REAL) == REAL
    assert read_number(" 9144 0300-192203 8216 ") == REAL


@pytest.mark.parametrize(
    "number", ["", "91440300192203821", REAL + "0", "91440300192203821I", "9A440300192203821O"]
)
def test_a_number_of_another_shape_is_refused(number: str):
    with pytest.raises(RuleViolation):
        read_number(number)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(ALPHABET, min_size=9, max_size=9), st.integers(0, 17), st.sampled_from(ALPHABET))
def test_a_changed_character_is_noticed(subject: str, place: int, char: str):
    first = "91440300" + subject
    number = first + check_character(first)
    changed = number[:place] + char + number[place + 1 :]

    assert read_number(number) == number
    if changed != number:
        with pytest.raises(RuleViolation):
            read_number(changed)
