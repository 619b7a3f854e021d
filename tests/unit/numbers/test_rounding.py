from __future__ import annotations

import json
from decimal import Context
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.numbers.rounding import all_digits, figure, root


@pytest.mark.parametrize(
    ("value", "text", "is_exact"),
    [
        (Fraction(5), "5", True),
        (Fraction(10**30), "1" + "0" * 30, True),
        (Fraction(-(10**30)), "-1" + "0" * 30, True),
        (Fraction(1, 4), "0.25", True),
        (Fraction(-1, 4), "-0.25", True),
        (Fraction(1, 3), "0.33333333333333333", False),
        (Fraction(28, 3), "9.3333333333333333", False),
        (Fraction(2, 3), "0.66666666666666667", False),
        (Fraction(-5, 2), "-2.5", True),
        (Fraction(1, 10**7), "0.0000001", True),
        (Fraction(1, 10**8), "1e-8", True),
        (Fraction(15, 10**9), "1.5e-8", True),
        (Fraction(12345678901234567, 10**17), "0.12345678901234567", True),
        (Fraction(123456789012345678, 10**18), "0.12345678901234568", False),
        (Fraction(10**25 + 1, 2), "5.0000000000000000e24", False),
        (Fraction(10**25 + 1, 3), "3.3333333333333333e24", False),
        (1 + Fraction(1, 10**400), "1.0000000000000000", False),
    ],
)
def test_a_value_is_written_as_it_is_or_rounded_once_to_17_digits(value: Fraction, text: str, is_exact: object) -> None:
    written = figure(value.numerator, value.denominator)

    assert (written.text, written.is_exact) == (text, is_exact)


@given(st.fractions(), st.integers(1, 1000))
def test_what_is_written_is_a_json_number_and_says_whether_it_is_exact(value: Fraction, factor: int) -> None:
    written = figure(value.numerator * factor, value.denominator * factor)

    assert isinstance(json.loads(written.text), int | float)
    assert written.is_exact == (Fraction(written.text) == value)
    assert abs(Fraction(written.text) - value) <= abs(value) * Fraction(1, 2 * 10**16)


@given(st.integers(0, 10**60), st.integers(1, 10**60))
def test_a_root_is_rounded_as_the_true_one(numerator: int, denominator: int) -> None:
    wide = Context(prec=150)
    true = wide.sqrt(wide.divide(numerator, denominator))

    written = figure(*root(numerator, denominator))

    assert Fraction(written.text) == Fraction(true.normalize(Context(prec=17))) or written.is_exact
    assert written.is_exact == (Fraction(written.text) ** 2 == Fraction(numerator, denominator))


@pytest.mark.parametrize(
    ("numerator", "denominator", "text"), [(9, 4, "1.5"), (0, 7, "0"), (2, 1, "1.4142135623730950")]
)
def test_roots(numerator: int, denominator: int, text: str) -> None:
    assert figure(*root(numerator, denominator)).text == text


@given(st.integers(), st.integers(0, 30))
def test_all_digits_are_all(units: int, decimals: int) -> None:
    text = all_digits(units, decimals)

    assert Fraction(text) == Fraction(units, 10**decimals)
    assert "." not in text or not text.endswith("0")
    assert isinstance(json.loads(text), int | float)
