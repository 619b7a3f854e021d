from __future__ import annotations

import pytest

from courier.cli.typed_list import joined, numbers_or_end, without_options
from courier.errors import Rejected
from courier.numbers.notation import CommaCheck


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", []),
        (" \t\n\n", []),
        ("5", ["5"]),
        ("1, 2;", None),
        ("12\t7\t3", ["12", "7", "3"]),
        ("12\t7\t3\n", ["12", "7", "3"]),
        ("1\t2\t3\n4\t5\t6\n", ["1", "2", "3", "4", "5", "6"]),
        ("1\r\n2\r\n3", ["1", "2", "3"]),
        ("\n1\n2", ["1", "2"]),
        ("1, 2\n3; 4", ["1", "2", "3", "4"]),
    ],
)
def test_a_paste_is_read_as_its_lines_would_be(text: str, numbers: list[str] | None) -> None:
    if numbers is None:
        with pytest.raises(Rejected):
            numbers_or_end(text)
    else:
        assert numbers_or_end(text) == numbers


@pytest.mark.parametrize("text", ["5\n6\n\n1\n0\n", "5\n6\n \t \n1", "5\n6\n\n"])
def test_an_empty_line_within_a_paste_is_rejected_by_its_number(text: str) -> None:
    if not text.endswith("\n\n"):
        with pytest.raises(Rejected, match="Line 3 is empty"):
            numbers_or_end(text)
    else:
        assert numbers_or_end(text) == ["5", "6"]


def test_a_line_that_is_no_list_is_rejected_with_its_number_and_drawn() -> None:
    with pytest.raises(Rejected, match=r"Line 2: Item 2 .*'x'") as raised:
        numbers_or_end("1, 2\n3, x\n4")

    assert raised.value.drawing.splitlines() == ["  3, x", "     ^"]


def test_a_header_in_a_paste_is_asked_about() -> None:
    with pytest.raises(Rejected) as raised:
        numbers_or_end("price\n1.5\n2.5")

    assert "header" in raised.value.hint


def test_arguments_are_a_list_and_none_of_several_is_empty() -> None:
    assert joined(["1,", "-5", "22"]) == "1, -5 22"
    assert joined([""]) == ""
    with pytest.raises(Rejected, match="Argument 2 is empty"):
        joined(["1", " ", "2"])


@pytest.mark.parametrize(
    ("typed", "fact"),
    [
        ("1,5; 2,5", "decimal point"),
        ("1,234,567; 3", "Remove the thousands commas"),
        ("1,5 2,5", "decimals with a point"),
        ("1,2\n1,5; 2,5", "decimal point"),
        ("sep=;", "Delete"),
        ("'1'", "quotes"),
    ],
)
def test_a_hint_at_a_prompt_names_no_option(typed: str, fact: str) -> None:
    with pytest.raises(Rejected) as raised:
        numbers_or_end(typed)

    assert fact in raised.value.hint
    assert "--" not in raised.value.hint
    assert raised.value.hint.endswith(".")


def test_a_note_at_a_prompt_names_no_option() -> None:
    for lines in ("1,5\n2,5\n", "1,234\n2,345\n"):
        check = CommaCheck()
        check.add(lines)
        note = check.note()

        assert "--" in note
        assert "--" not in without_options(note)
