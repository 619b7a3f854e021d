"""Missing values are skipped where that is requested, and counted; everything else stays as it is, where it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.errors import NotANumberList
from courier.numbers import parser
from courier.numbers.list_source import ListSource, Reading
from courier.numbers.missing import MissingValues
from courier.numbers.notation import Notation

BLOCKS = (1, 2, 3, 1_000)


def in_blocks(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def without(text: str, size: int) -> tuple[str, dict[str, int]]:
    missing = MissingValues()
    return "".join(missing.without(in_blocks(text, size))), dict(missing.skipped)


@pytest.mark.parametrize("size", BLOCKS)
@pytest.mark.parametrize(
    ("text", "kept", "skipped"),
    [
        ("1,NA,3", "1 3", {"na": 1}),
        ("NA,1,nan,NaN, null ,-,3", "1 3", {"na": 1, "nan": 2, "null": 1, "-": 1}),
        ("1,2,NA", "1 2", {"na": 1}),
        ("1,2,NA,\n", "1 2", {"na": 1, "empty": 1}),
        ("1,,3,", "1 3", {"empty": 2}),
        (",1", "1", {"empty": 1}),
        ("1;N/A;#N/A;3", "1 3", {"n/a": 1, "#n/a": 1}),
        ("1, 2\nNA, 3\n?\n", "1 2 3", {"na": 1, "?": 1}),
        ("1\nNA\r\n3\r--\n\n", "1 3", {"na": 1, "--": 1}),
        ("1\n\n3\n", "1 3", {"empty": 1}),
        ("1,2\n\n3\n", "1 2 3", {"empty": 1}),
        ("1 NA 3\nNA NA\n4\n", "1 3 4", {"na": 3}),
        ("1\tNA\t3\n4\t\t6\nNA\t8\n", "1 3 4 6 8", {"na": 2, "empty": 1}),
        ("1\tNA\t\tNA\n2", "1 2", {"na": 2, "empty": 1}),
        ("#DIV/0!,7", "7", {"#div/0!": 1}),
        ("1,2,3\n", "1 2 3", {}),
        ("-1 -2 - -3", "-1 -2 -3", {"-": 1}),
    ],
)
def test_what_is_left_is_the_list_without_them(text: str, kept: str, skipped: dict[str, int], size: int) -> None:
    found, counted = without(text, size)

    assert parser.split(found) == kept.split()
    assert counted == skipped
    assert all(found[place] == char for place, char in enumerate(text) if char.isdigit() and char != "0")


@pytest.mark.parametrize("size", BLOCKS)
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,x,3", "Item 2 .character 3. is 'x'"),
        ("1,2 NA,3", "is '2 NA'"),
        ("1,NA,x", "character 6. is 'x'"),
        ("1,NAN5", "'NAN5'"),
        ("NA", "list is empty"),
        ("NA,-\n\n", "list is empty"),
        ("", "list is empty"),
    ],
)
def test_what_is_no_number_and_not_missing_is_rejected_where_it_is(text: str, said: str, size: int) -> None:
    with pytest.raises(NotANumberList, match=said):
        parser.split(without(text, size)[0])


@given(st.lists(st.sampled_from(["1", "-2.5", "NA", "", "null"]), max_size=9), st.sampled_from(",;"), st.integers(1, 9))
def test_in_any_list_the_numbers_stay(items: list[str], sign: str, size: int) -> None:
    numbers = [item for item in items if item in {"1", "-2.5"}]
    text = sign.join(["7", *items])

    found, counted = without(text, size)

    assert parser.split(found) == ["7", *numbers]
    assert sum(counted.values()) == len(items) - len(numbers)


def test_many_in_a_row_leave_no_item_too_long_for_a_worker() -> None:
    found, counted = without("1," + "NA,\n" * 400_000 + "2", 2**17)

    assert parser.split(found) == ["1", "2"]
    assert counted["na"] == 400_000
    assert max(map(len, found.split("1"))) < 2**20


@pytest.mark.parametrize(
    ("text", "reading", "items", "note"),
    [
        ("1,5;NA;2", Reading(skip_missing=True, notation=Notation(decimal_comma=True)), "1.5 2", "1 missing value"),
        ("1,234 NA 2", Reading(skip_missing=True, notation=Notation(thousands=True)), "1234 2", "1 missing value"),
        ("id,n\na,1\nb,NA\nc,\n\nd,4\n", Reading(skip_missing=True, column="n"), "1 4", "2 missing values"),
        ("x\n1\nNA\n", Reading(skip_missing=True, skip_header=True), "1", "1 missing value"),
        ("1,2", Reading(skip_missing=True), "1 2", ""),
    ],
)
def test_they_are_skipped_in_each_way_to_read_a_list(text: str, reading: Reading, items: str, note: str) -> None:
    source = ListSource(in_blocks(text, 3), reading)

    assert parser.split(source.text()) == items.split()
    assert source.missing is not None
    assert source.missing.note().startswith(note)


def test_a_note_names_the_most_frequent() -> None:
    missing = MissingValues()
    list(missing.without(["1,NA,na,,-,--,---,?,nil"]))

    assert missing.note() == "8 missing values skipped: na (2), empty (1), - (1), -- (1), --- (1), …"
    assert MissingValues().note() == ""


def test_without_the_option_they_are_rejected_with_a_hint() -> None:
    with pytest.raises(NotANumberList) as raised:
        parser.split("1,NA")

    assert "--skip-missing" in raised.value.hint
