from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.errors import NotANumberList
from courier.numbers.parser import read, split

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
        ("1 2 3\n4 5 6\n", ["1", "2", "3", "4", "5", "6"]),
        ("1\t2\r\n3\t4\r\n", ["1", "2", "3", "4"]),
        ("  1.5   2 \n -3 \t4 ", ["1.5", "2", "-3", "4"]),
        ("1 2\n3\n", ["1", "2", "3"]),
        ("1 \t 2  3", ["1", "2", "3"]),
        ("\t\t1\t2\t\t\n\t3 \t \t\r\n", ["1", "2", "3"]),
        ("1,\t\t2", ["1", "2"]),
        ("1\r2\r3\r", ["1", "2", "3"]),
        ("1,2\r3,4\n5,6\r\n", ["1", "2", "3", "4", "5", "6"]),
        ("1\n2\n\n \t\r\n\r\n ", ["1", "2"]),
        ("1;2\n\n", ["1", "2"]),
        ("+1,-2.50,.5,1.,3e4,3E-4", ["+1", "-2.50", ".5", "1.", "3e4", "3E-4"]),
        ("9" * 400, ["9" * 400]),
        ("1e400,1e-400", ["1e400", "1e-400"]),
    ],
)
def test_a_list_is_read_as_it_was_typed(text: str, items: list[str]) -> None:
    assert split(text) == items


@given(st.lists(numbers, min_size=1), st.sampled_from([",", ";", "\n", " ", ", ", "\r\n"]))
def test_any_separator_gives_the_same_numbers(items: list[str], separator: str) -> None:
    units, decimals = read(separator.join(items))

    assert [Fraction(unit, 10**decimals) for unit in units] == [Fraction(item) for item in items]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,,22", r"Item 2 \(character 3\) is empty"),
        ("1,2,", r"Item 3 \(character 5\) is empty"),
        (",1", r"Item 1 \(character 1\) is empty"),
        ("1\n\n2", r"Item 2 \(character 3\) is empty"),
        ("1, abc,3", r"Item 2 \(character 4\) is 'abc'"),
        ("1 2 x", r"Item 3 \(character 5\) is 'x'"),
        ("1;2,5", r"Item 2 \(character 3\) is '2,5'.*not a number"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("nan", "nan"),
        ("inf,1", "inf"),
        ("--1", "--1"),
        ("1.2.3", "1.2.3"),
        ("1e", "'1e', .*not a number"),
        ("-", "'-', .*not a number"),
        (".", r"'\.', .*not a number"),
        ("1,2 3", r"Item 2 \(character 3\) is '2 3'"),
        ("1 2\n3,4", r"Item 1 \(character 1\) is '1 2'"),
        ("1 2\n\n3", r"Item 3 \(character 5\) is empty"),
        ("1 2\n \t\n3", r"Item 3 \(character 7\) is empty"),
        ("1\t\t2", r"Item 2 \(character 3\) is empty"),
        ("1\t2 \t \t 3", r"Item 3 \(character 7\) is empty"),
        ("1\t2\n3\t\t\t4", r"Item 4 \(character 7\) is empty"),
        ("\n1 2", r"Item 1 \(character 1\) is empty"),
        ("1\r\r2", r"Item 2 \(character 3\) is empty"),
        ("1,2,\n3,4,\n", r"Item 3 \(character 5\) is empty"),
        ("1,2,\n\n", r"Item 3 \(character 5\) is empty"),
        ("1 x\n3", r"Item 2 \(character 3\) is 'x'"),
        ("\u00a0", r"Item 1 \(character 1\) is '\\xa0'"),
        ("1,\x1b[2J", r"\\x1b\[2J"),
        ("٣", "'٣', .*not a number"),
        ("1e401", "exponent is beyond 400"),
        ("1e" + "0" * 411, "more than 412 characters"),
        ("1e-999999999", "exponent is beyond 400"),
        ("9" * 401, "more than 400 digits"),
        ("9" * 5000, "more than 400 digits"),
        ("", "list is empty"),
        (" \n", "list is empty"),
    ],
)
def test_what_is_no_list_is_rejected_by_item_position_and_token(text: str, said: str) -> None:
    with pytest.raises(NotANumberList, match=said) as raised:
        read(text)

    assert raised.value.sentence.isprintable()


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1;2,5", "decimal point"),
        ("\u22125", "U\\+2212"),
        ("0x1F", "decimal"),
        ("1/2", "Fractions"),
        ("1'000", "thousands"),
        ("1,2 3", "Spaces separate only"),
        ("1\t\t3", "empty cell between two tabs"),
    ],
)
def test_the_usual_mistakes_get_a_hint(text: str, hint: str) -> None:
    with pytest.raises(NotANumberList) as raised:
        read(text)

    assert pytest.importorskip("re").search(hint, raised.value.hint)


@pytest.mark.parametrize(
    "text", ["1" * 1_000_000 + "x", "1." * 500_000, "1e" * 500_000, "-" * 1_000_000, "1\t" * 300_000 + "\t1"]
)
def test_a_bad_item_as_long_as_a_message_is_rejected_in_linear_time(text: str) -> None:
    with pytest.raises(NotANumberList):  # by the square of the length, one of these takes half a day
        read(text)


@given(st.text(max_size=60))
def test_parsing_raises_nothing_else_whatever_the_text(text: str) -> None:
    try:
        units, decimals = read(text)
    except NotANumberList as error:
        assert error.sentence.isprintable()
    else:
        assert units
        assert decimals >= 0


@pytest.mark.parametrize(
    ("text", "drawing"),
    [
        ("1,,22", ["  1,,22", "    ^"]),
        ("1;2\n3;x;5\n4", ["  3;x;5", "    ^"]),
        ("1\t\t3", ["  1··3", "    ^"]),
        ("1,\t\x1b,3", ["  1,··,3", "     ^"]),
        ("1," * 100 + "x" + ",2" * 100, ["  …" + "1," * 15 + "x" + ",2" * 14 + ",…", "   " + " " * 30 + "^"]),
    ],
)
def test_the_place_is_drawn_with_a_caret(text: str, drawing: list[str]) -> None:
    with pytest.raises(NotANumberList) as raised:
        read(text)

    assert raised.value.drawing.splitlines() == drawing


@pytest.mark.parametrize("text", ["," * 1_000_000, "\n," * 500_000, ";" * 1_000_000, "1e999999999", "7" * 5_000])
def test_a_message_of_separators_is_rejected_at_its_first_item(text: str) -> None:
    with pytest.raises(NotANumberList, match=r"Item 1 \(character 1\)"):
        read(text)


@given(st.lists(numbers, min_size=1, max_size=8), st.integers(0, 7), st.sampled_from(",; "))
def test_the_bad_item_is_found_among_good_ones(items: list[str], place: int, separator: str) -> None:
    place = min(place, len(items))
    items.insert(place, "x")

    with pytest.raises(NotANumberList) as raised:
        read(separator.join(items))

    position = len(separator.join([*items[:place], ""])) + 1
    assert raised.value.message.startswith(f"Item {place + 1} (character {position}) is 'x'")
