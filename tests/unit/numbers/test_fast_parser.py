"""The fast engine reads what it takes as the reference engine does, and declines the rest."""

from __future__ import annotations

from collections.abc import Sequence
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.errors import NotANumberList
from courier.numbers import fast_parser, parser

plain = st.from_regex(r"[+-]?([0-9]{1,17}(\.[0-9]{0,9})?|\.[0-9]{1,9})", fullmatch=True)
even = st.integers(-(10**9), 10**9).map(lambda cents: f"{cents / 100:.2f}")
odd = st.sampled_from(
    ["", "x", "1e5", "-", ".", "1.2.3", "--1", "1 2", "9" * 40, "0x1", "\x00", "1:", "/", "+.", "٣", "1\n"]
)
separators = st.sampled_from([",", "\n", ";", ", ", "\r\n", "\r", " ,\t", " ", "\t", "\t\t", "  ", " \n ", "\r\n\t"])
some_separators = separators.map(lambda one: [one]) | st.lists(separators, min_size=2, max_size=3)
ends = st.sampled_from(["", "\n", " \r\n\n", ",", "\n;", "\r"])


def joined(items: Sequence[str], some: Sequence[str]) -> str:
    """Return items with separators between them that take turns."""
    behind = [some[number % len(some)] for number in range(len(items) - 1)] + [""]
    return "".join(item + one for item, one in zip(items, behind, strict=True))


def held_to_the_reference(text: str) -> bool:
    """Compare the two engines; return whether the fast one took the list."""
    found = fast_parser.read(text)
    if found is None:
        return False
    units, decimals = parser.read(text)  # raises if the fast one took what is none
    factor = 10 ** (decimals - found[1]) if decimals >= found[1] else 1
    shrink = 10 ** (found[1] - decimals) if found[1] > decimals else 1
    assert [int(unit) * factor for unit in found[0]] == [unit * shrink for unit in units]
    return True


@given(
    st.lists(plain, min_size=1, max_size=60) | st.lists(even, min_size=1, max_size=60),
    some_separators,
    ends,
    st.integers(8, 200),
)
def test_both_engines_read_alike_wherever_the_list_is_cut(
    items: list[str], some: list[str], end: str, chunk_bytes: int
) -> None:
    with patch.object(fast_parser, "CHUNK_BYTES", chunk_bytes):
        held_to_the_reference(joined(items, some) + end)


@given(st.lists(plain | odd, min_size=1, max_size=20), some_separators, ends)
def test_what_is_no_list_is_never_taken(items: list[str], some: list[str], end: str) -> None:
    held_to_the_reference(joined(items, some) + end)


@given(st.text(alphabet="0123456789.,-+ \t\n\r;eE/:", max_size=40))
def test_no_text_is_read_otherwise_than_by_the_reference(text: str) -> None:
    try:
        parser.read(text)
    except NotANumberList:
        assert fast_parser.read(text) is None
    else:
        held_to_the_reference(text)


@pytest.mark.parametrize(
    "text",
    [
        "1,2,3",
        "1.50,2.25,-3.00",
        "1\n2\n3\n",
        "1;2;3",
        "1, 2,\t3",
        "1.5,2,.5,3.",
        "1234567890123456,7",
        "-1,+2",
        "0.001,5000",
        "1 2 3",
        "1 2 3\n4 5 6\n",
        "1\t2\r\n3\t4\r\n\r\n",
        "  1.5   2\n -3 \t4 ",
        "1\r2\r3\r",
        "\t\t1\t2\t\t\r\n\t \t3\t\t",
        "0\n ",
    ],
)
def test_usual_lists_are_taken(text: str) -> None:
    assert held_to_the_reference(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        "1,,2",
        "1,",
        "1e5",
        "x",
        "1 2\n3,4",
        "1 2\n\n3",
        "1\t\t2",
        "1 2\n3 \t  \t4",
        "12345678901234567",
        ".",
        "1,.",
        "-",
        "1.2.3",
        "1,2;3",
        "1..,2",
        "٣",
        "99999999999999.5,0.00000001",
    ],
)
def test_what_it_is_not_sure_of_is_declined(text: str) -> None:
    assert fast_parser.read(text) is None
