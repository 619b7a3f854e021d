"""However a list is cut into ranges and blocks, it is read as the reference engine reads it whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.errors import NotANumberList
from courier.numbers import parser
from courier.numbers.parser import ParseError
from courier.numbers.ranges import ByteRange, InvalidItem, Pieces, mixed

numbers = st.integers(-(10**17), 10**17).map(str) | st.sampled_from(["1.25", "-.5", "+7.", "2e3", "0.001", "3"])
odd = st.sampled_from(["", "x", "1e", "-", "1 2", "9" * 401, "\r", "é", "1;2", "1,2", " ", "\u2212" + "1", "1e401"])
separators = st.sampled_from(
    [",", "\n", ";", ", ", "\r\n", "\r", " ,\t", " ", "  ", " \t", "\t", "\t\t", " \n", "\r\n ", " \r "]
)
some_separators = separators.map(lambda one: [one]) | st.lists(separators, min_size=2, max_size=3)
ends = st.sampled_from(["", "\n", "\r\n", "\n\n", ",", " ", "\n ", " \n", ";", "\r", ",\n", " \t\r\n \n\n", ";\r\n\n"])


def joined(items: Sequence[str], some: Sequence[str]) -> str:
    """Return items with separators between them that take turns."""
    behind = [some[number % len(some)] for number in range(len(items) - 1)] + [""]
    return "".join(item + one for item, one in zip(items, behind, strict=True))


def blocks(content: bytes, span: ByteRange, size: int) -> Iterator[bytes]:
    for start in range(span.first_byte, len(content), size):
        yield content[start : start + size]


def ranges(size: int, cuts: Sequence[int]) -> list[ByteRange]:
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < size}), size]
    return [ByteRange(start=start, stop=stop, size=size) for start, stop in pairwise(edges)]


def read_in_parts(content: bytes, cuts: Sequence[int], block: int) -> list[Fraction] | ParseError:
    """Return the list's numbers, or its parse_error, from ranges that know nothing of each other."""
    found: list[Fraction] = []
    signs: dict[str, tuple[int, int]] = {}
    for span in ranges(len(content), cuts):
        part = Pieces(span)
        before = len(found)
        try:
            for units, decimals in part.read(blocks(content, span, block)):
                found += [Fraction(int(unit), 10**decimals) for unit in units]
        except InvalidItem as error:
            return error.parse_error.shifted(before, span.start)
        for sign, (item, character) in part.signs.items():
            signs.setdefault(sign, (item + before, character + span.start))
        if parse_error := mixed(signs):
            return parse_error
    return found


def read_whole(text: str) -> list[Fraction] | str:
    try:
        units, decimals = parser.read(text)
    except NotANumberList as error:
        return error.message
    return [Fraction(unit, 10**decimals) for unit in units]


def holds_two_signs(text: str) -> bool:
    spaces = re.search(r"[^,;\s][ \t]+[^,;\s]", text)
    return ("," in text) + (";" in text) + bool(spaces) > 1


def compare(text: str, cuts: Sequence[int], block: int) -> None:
    found, right = read_in_parts(text.encode(), cuts, block), read_whole(text)

    if isinstance(found, list) and found:
        assert found == right
    elif isinstance(found, list):
        assert isinstance(right, str)
        assert "list is empty" in right
    elif "separate the items" in found.finding or holds_two_signs(text):
        assert isinstance(right, str)  # a range that has seen one sign only says what is wrong then
    else:
        assert found.rejection.message.replace("\ufffd", "é") == right


@given(
    st.lists(numbers, min_size=1, max_size=30), some_separators, ends, st.lists(st.integers(0, 300)), st.integers(1, 64)
)
def test_ranges_of_a_list_have_every_number_once(
    items: list[str], some: list[str], end: str, cuts: list[int], block: int
) -> None:
    compare(joined(items, some) + end, cuts, block)


@given(
    st.lists(numbers | odd, min_size=1, max_size=12),
    some_separators,
    ends,
    st.lists(st.integers(0, 100)),
    st.integers(1, 64),
)
def test_the_first_parse_error_is_that_of_the_whole_list(
    items: list[str], some: list[str], end: str, cuts: list[int], block: int
) -> None:
    compare(joined(items, some) + end, cuts, block)


@given(st.text(alphabet="01.,; \t\r\n-e", max_size=30), st.lists(st.integers(0, 30)), st.integers(1, 9))
def test_no_text_is_read_otherwise_than_by_the_reference(text: str, cuts: list[int], block: int) -> None:
    compare(text, cuts, block)


@pytest.mark.parametrize("text", ["1,2;3", "1;2,3", "1 2,3", "1 2\n3,4", "1,2\n3 4", "1;2\n3 4", "1 2;3"])
def test_two_signs_in_one_list_are_rejected(text: str) -> None:
    assert isinstance(read_in_parts(text.encode(), range(10), 1), ParseError)


def test_what_has_no_end_is_rejected_before_it_fills_the_memory() -> None:
    with patch("courier.numbers.ranges.MAX_ITEM_BYTES", 1000), pytest.raises(InvalidItem) as raised:
        endless = iter(lambda: b" " * 100, None)
        list(Pieces(ByteRange(start=0, stop=10**9, size=10**9)).read(endless))
    assert "more than 1,000 characters" in raised.value.parse_error.finding


def test_no_more_is_read_than_the_last_item_needs() -> None:
    taken = blocks(b"1,22,333,4444,5", ByteRange(start=0, stop=3, size=15), 2)

    assert [int(unit) for units, _ in Pieces(ByteRange(start=0, stop=3, size=15)).read(taken) for unit in units] == [
        1,
        22,
    ]
    assert next(taken) == b"33"
