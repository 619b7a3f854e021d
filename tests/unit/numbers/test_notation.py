"""Decimal commas and groups of thousands become what the grammar has, each in its place."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.numbers import parser
from courier.numbers.notation import CommaCheck, Notation, TabCheck
from courier.numbers.parser import ParseError

COMMA = Notation(decimal_comma=True)
THOUSANDS = Notation(thousands=True)
BOTH = Notation(decimal_comma=True, thousands=True)
separators = st.sampled_from(["; ", ";", "\n", " ", "\t", "\r\n", " \r"])


@pytest.mark.parametrize(
    ("notation", "text", "numbers"),
    [
        (COMMA, "1,5\n2,5\n3,5", "1.5 2.5 3.5"),
        (COMMA, "1,5; 2,5", "1.5 2.5"),
        (COMMA, "1,5 2,5\t-3,25e-2", "1.5 2.5 -3.25e-2"),
        (COMMA, ",5;-,5;+1,50;7", ".5 -.5 +1.50 7"),
        (THOUSANDS, "1,234\n5,678\n9", "1234 5678 9"),
        (THOUSANDS, "-1,234,567.89; 1234.5", "-1234567.89 1234.5"),
        (THOUSANDS, "1,234, 5,678, 9", "1234 5678 9"),
        (THOUSANDS, "1,234 5,678", "1234 5678"),
        (THOUSANDS, "1,234e3", "1234e3"),
        (BOTH, "1.234,5; 2.000; 7; ,5", "1234.5 2000 7 .5"),
        (BOTH, "-1.234.567,5\n1234,5", "-1234567.5 1234.5"),
    ],
)
def test_numbers_are_those_that_were_meant(notation: Notation, text: str, numbers: str) -> None:
    found = notation.rewrite(text)

    assert isinstance(found, str)
    assert parser.split(found) == numbers.split()
    assert len(found) == len(text)


@pytest.mark.parametrize(
    ("notation", "text", "said"),
    [
        (COMMA, "1,5 1.5", "Item 2 (character 5) is '1.5'"),
        (COMMA, "1, 2, 3", "Item 1 (character 1) is '1,'"),
        (COMMA, "1,5,2", "Item 1 (character 1) is '1,5,2'"),
        (COMMA, "1;1.234,5", "Item 2 (character 3) is '1.234,5'"),
        (COMMA, "2;1e2,5", "Item 2 (character 3) is '1e2,5'"),
        (COMMA, "x;a,b", "Item 2 (character 3) is 'a,b'"),
        (THOUSANDS, "1,23", "Item 1 (character 1) is '1,23'"),
        (THOUSANDS, "1,2,3", "Item 1 (character 1) is '1,2,3'"),
        (THOUSANDS, "5\n1234,567", "Item 2 (character 3) is '1234,567'"),
        (THOUSANDS, "0,123", "Item 1 (character 1) is '0,123'"),
        (THOUSANDS, "1.5,234", "Item 1 (character 1) is '1.5,234'"),
        (THOUSANDS, "1,,234", "Item 1 (character 1) is '1,,234'"),
        (BOTH, "7 1.5", "Item 2 (character 3) is '1.5'"),
        (BOTH, "1,234.5", "Item 1 (character 1) is '1,234.5'"),
        (BOTH, "0.123", "Item 1 (character 1) is '0.123'"),
    ],
)
def test_what_is_not_written_so_is_rejected_with_its_place_and_a_hint(notation: Notation, text: str, said: str) -> None:
    parse_error = notation.rewrite(text)

    assert isinstance(parse_error, ParseError)
    assert parse_error.rejection.message.startswith(said)
    assert "Separate numbers by semicolons" in parse_error.hint


@given(st.lists(st.decimals(-(10**9), 10**9, places=3), min_size=1, max_size=20), separators)
def test_every_number_in_either_notation_is_itself(values: list[Decimal], separator: str) -> None:
    english = [f"{value:,.3f}" for value in values]
    swapped = [word.translate(str.maketrans(",.", ".,")) for word in english]
    bare = [f"{value:.3f}".replace(".", ",") for value in values]

    for notation, words in ((THOUSANDS, english), (BOTH, swapped), (COMMA, bare)):
        found = notation.rewrite(separator.join(words))
        assert isinstance(found, str)
        assert [Decimal(item) for item in parser.split(found)] == values


@given(st.text("0123456789,.;- \n+e", max_size=40), st.sampled_from([COMMA, THOUSANDS, BOTH]))
def test_every_character_stays_in_its_place(text: str, notation: Notation) -> None:
    found = notation.rewrite(text)

    if isinstance(found, str):
        assert len(found) == len(text)
        assert [place for place, char in enumerate(found) if char in ";\n"] == [
            place for place, char in enumerate(text) if char in ";\n"
        ]


@pytest.mark.parametrize("text", ["1," * 500_000 + "x", "1,234" * 200_000, "," * 1_000_000, "1.2" * 300_000])
@pytest.mark.parametrize("notation", [COMMA, THOUSANDS, BOTH])
def test_hostile_text_is_rejected_in_linear_time(notation: Notation, text: str) -> None:
    found = notation.rewrite(text)  # by the square of the length, this takes hours

    assert isinstance(found, ParseError) or (notation is THOUSANDS and found == text)


def note_of(text: str, block: int = 100) -> str:
    check = CommaCheck()
    for start in range(0, len(text), block):
        check.add(text[start : start + block])
    return check.note()


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("1,5\n2,5\n3,5\n", ["6 numbers in 3 lines", "a decimal comma?", "--decimal-comma"]),
        ("1,5\r\n2,5\r\n-3,5", ["6 numbers in 3 lines", "a decimal comma?"]),
        ("1,5\r2,5\r", ["4 numbers in 2 lines", "a decimal comma?"]),
        ("0,500\n1,5e3\n", ["4 numbers in 2 lines", "a decimal comma?"]),
        ("1,234\n5,678\n9,012\n", ["6 numbers in 3 lines", "thousands commas?", "--thousands"]),
        ("1,234\n567\n-8,901,234.5\n", ["6 numbers in 3 lines", "thousands commas?"]),
        ("1,500\n" * 1_000, ["2,000 numbers in 1,000 lines", "thousands commas?"]),
    ],
)
@pytest.mark.parametrize("block", [1, 3, 10_000])
def test_lists_that_look_otherwise_meant_get_a_note(text: str, facts: list[str], block: int) -> None:
    note = note_of(text, block)

    assert all(fact in note for fact in facts), note


@pytest.mark.parametrize(
    "text",
    [
        "1,5", "1,234", "", "1\n2\n3", "1,2,3\n4,5,6", "1, 5\n2, 5", "1,-5\n2,5", "1.5,2.5\n3.5,4.5", "1,2\n3",
        "1,5\n2,5\n3", "1;5\n2;5", "1 5\n2 5", "1,5\nx,5", "1234,567\n1234,567,8", "1\n2\n3\n4,500",
        "1,5,\n2,5,", "1," * 5_000 + "1\n2,3",
    ],
)  # fmt: skip
@pytest.mark.parametrize("block", [1, 10_000])
def test_ordinary_lists_get_none(text: str, block: int) -> None:
    assert note_of(text, block) == ""


def cells_noted(text: str, block: int) -> bool:
    check = TabCheck()
    for start in range(0, len(text), block):
        check.add(text[start : start + block])
    return "begin or end with a tab" in check.note()


@pytest.mark.parametrize("text", ["\t7\t3", "1\t2\n4\t\n", "1\t2\r\n\t4\r\n", "1\t2\r3\t\r5\t6"])
@pytest.mark.parametrize("block", [3, 10_000])
def test_rows_that_begin_or_end_with_a_tab_get_a_note(text: str, block: int) -> None:
    assert cells_noted(text, block)


@pytest.mark.parametrize("text", ["1\t2\n3\t4\n", "\t1\n\t2\n", "1,\t2\n\t3\t,4", "1;\t2\n\t3", "1 2 \n 3 4", ""])
@pytest.mark.parametrize("block", [1, 10_000])
def test_rows_whose_cells_are_all_there_get_none(text: str, block: int) -> None:
    assert not cells_noted(text, block)
