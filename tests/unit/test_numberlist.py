from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.errors import NotANumberList
from courier.numberlist import parse, render, split

numbers = st.from_regex(r"[+-]?([0-9]{1,20}(\.[0-9]{0,9})?|\.[0-9]{1,9})([eE][+-]?[0-9]{1,2})?", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("1,5,22", ["1", "5", "22"]),
        ("1, 5 ,\t22", ["1", "5", "22"]),
        ("1;5;22", ["1", "5", "22"]),
        ("1\n5\r\n22\n", ["1", "5", "22"]),
        ("1,5\n22\n", ["1", "5", "22"]),
        ("1 5  22", ["1", "5", "22"]),
        (" 7 ", ["7"]),
        ("+1,-2.50,.5,1.,3e4,3E-4", ["+1", "-2.50", ".5", "1.", "3e4", "3E-4"]),
        ("9" * 400, ["9" * 400]),
        ("1e400,1e-400", ["1e400", "1e-400"]),
    ],
)
def test_a_list_is_read_as_it_was_typed(text: str, items: list[str]) -> None:
    assert split(text) == items


@given(st.lists(numbers, min_size=1), st.sampled_from([",", ";", "\n", " ", ", ", "\r\n"]))
def test_any_separator_gives_the_same_numbers(items: list[str], separator: str) -> None:
    assert parse(separator.join(items)) == [Decimal(item) for item in items]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,,22", r"Item 2 \(character 3\) is empty"),
        ("1,2,", r"Item 3 \(character 5\) is empty"),
        (",1", r"Item 1 \(character 1\) is empty"),
        ("1\n\n2", r"Item 2 \(character 3\) is empty"),
        ("1, abc,3", r"Item 2 \(character 4\) is 'abc', which is not a number"),
        ("1 2 x", r"Item 3 \(character 5\) is 'x'"),
        ("1;2,5", r"Item 2 \(character 3\) is '2,5'.*not a number"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("nan", "nan"),
        ("inf,1", "inf"),
        ("--1", "--1"),
        ("1.2.3", "1.2.3"),
        ("1e", "'1e', which is not a number"),
        ("-", "'-', which is not a number"),
        (".", "'.', which is not a number"),
        ("1,2 3", r"Item 2 \(character 3\) is '2 3'"),
        ("1,\x1b[2J", r"\\x1b\[2J"),
        ("٣", "'٣', which is not a number"),
        ("1e401", "exponent is beyond 400"),
        ("1e-999999999", "exponent is beyond 400"),
        ("9" * 401, "more than 400 digits"),
        ("9" * 5000, "more than 400 digits"),
        ("", "The list is empty"),
        (" \n", "The list is empty"),
    ],
)
def test_what_is_no_list_is_refused_by_item_position_and_token(text: str, said: str) -> None:
    with pytest.raises(NotANumberList, match=said) as raised:
        parse(text)

    assert raised.value.sentence.isprintable()


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1;2,5", "decimal point"),
        ("\u22125", "U\\+2212"),
        ("0x1F", "decimal"),
        ("1/2", "Fractions"),
        ("1'000", "thousands"),
    ],
)
def test_the_usual_slips_get_a_hint(text: str, hint: str) -> None:
    with pytest.raises(NotANumberList) as raised:
        parse(text)

    assert pytest.importorskip("re").search(hint, raised.value.hint)


@pytest.mark.parametrize("text", ["1" * 1_000_000 + "x", "1." * 500_000, "1e" * 500_000, "-" * 1_000_000])
def test_a_bad_item_as_long_as_a_message_is_refused_in_linear_time(text: str) -> None:
    with pytest.raises(NotANumberList):  # by the square of the length, one of these takes half a day
        parse(text)


@given(st.text(max_size=60))
def test_parsing_raises_nothing_else_whatever_the_text(text: str) -> None:
    try:
        values = parse(text)
    except NotANumberList as error:
        assert error.sentence.isprintable()
    else:
        assert all(value.is_finite() for value in values)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5"),
        (10**30, "1" + "0" * 30),
        (Fraction(1, 4), "0.25"),
        (Fraction(-1, 4), "-0.25"),
        (Fraction(1, 3), "0.33333333333333333"),
        (Fraction(28, 3), "9.3333333333333333"),
        (Fraction(2, 3), "0.66666666666666667"),
        (Fraction(-5, 2), "-2.5"),
        (Fraction(1, 10**7), "0.0000001"),
        (Fraction(1, 10**8), "1e-8"),
        (Fraction(15, 10**9), "1.5e-8"),
        (Fraction(10**25 + 1, 2), "5000000000000000000000000.5"),
        (Fraction(10**25 + 1, 3), "3.3333333333333333e24"),
        (Fraction(123456789012345678901, 10**21), "0.123456789012345678901"),
        (Fraction(1, 10**400) + 1, "1." + "0" * 399 + "1"),
        (Fraction(-1, 2**40), "-9.094947017729282379150390625e-13"),
    ],
)
def test_a_number_is_written_with_all_its_digits_or_rounded_once_to_17(value: Fraction | int, text: str) -> None:
    assert render(value) == text


@given(st.fractions())
def test_what_is_written_is_a_json_number_within_half_a_unit(value: Fraction) -> None:
    import json

    written = Fraction(render(value))

    assert isinstance(json.loads(render(value)), int | float)
    assert abs(written - value) <= abs(value) * Fraction(1, 2 * 10**16)
    if (value * 10**2000).denominator == 1:  # its decimal ends, so no digit may be missing
        assert written == value
