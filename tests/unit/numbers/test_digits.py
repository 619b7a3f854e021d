"""Digits become the integers that Python reads, wherever they stand among the words of a text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.numbers.digits import MAX_DIGITS, Text, value_of
from courier.numbers.integers import Array


def digits(least: int, most: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=least, max_size=most)


def placed(items: Sequence[str], before: str = "") -> tuple[Text, Array, Array]:
    """Return a text of items, and where each ends and how long it is."""
    content = before + ",".join(items)
    text = Text(content.encode())
    lengths = np.array([len(item) for item in items])
    ends = text.start + len(before) + np.cumsum(lengths + 1) - 1
    return text, ends, lengths


@given(st.lists(digits(0, MAX_DIGITS), min_size=1, max_size=40), st.integers(0, 9))
def test_up_to_sixteen_digits_are_read_at_any_place(items: list[str], shift: int) -> None:
    text, ends, lengths = placed(items, "," * shift)

    found = text.integers(ends, lengths)

    assert found is not None
    assert found.tolist() == [int(item or "0") for item in items]


@given(st.integers(1, 15), st.data())
def test_a_point_is_left_out_of_numbers_with_as_many_decimals(width: int, data: st.DataObject) -> None:
    whole, rest = digits(0, MAX_DIGITS - 1 - width), digits(width, width)
    items = data.draw(st.lists(st.builds("{}.{}".format, whole, rest), min_size=1, max_size=20))
    text, ends, lengths = placed(items, "," * data.draw(st.integers(0, 9)))

    found = text.decimals(ends, lengths, width)

    assert found is not None
    assert found.tolist() == [int(item.replace(".", "")) for item in items]


def test_what_is_longer_is_left_to_the_other_engine() -> None:
    text, ends, lengths = placed(["1", "1" * (MAX_DIGITS + 1)])

    assert text.integers(ends, lengths) is None
    assert text.decimals(ends, lengths, 1) is None
    assert text.integers(ends, lengths - 2) is None  # as where a sign has no digit behind it


@pytest.mark.parametrize("item", ["1", "1234567890123456"])
def test_separators_are_put_before_a_text_of_few_and_shift_its_places(item: str) -> None:
    items = [item] * 3_000

    text, ends, lengths = placed(items)

    content = ",".join(items).encode()
    assert (text.start > 32) == (len(item) > 9)
    assert set(text.values[: text.start].tolist()) == {value_of(",")}
    assert bytes(text.values[text.start :] + ord("0")) == content
    found = text.integers(ends, lengths)
    assert found is not None
    assert set(found.tolist()) == {int(item)}


def test_only_digits_have_values_below_ten() -> None:
    assert [value_of(digit) for digit in "0123456789"] == list(range(10))
    assert min(value_of(char) for char in "\t\n\r ,;+-.eE") > 9
