"""A list's text from whatever it comes, as a whole or as an upload takes it."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.errors import NotANumberList, Rejected
from courier.numbers import parser
from courier.numbers.list_source import ListSource, Reading, without_last_empty
from courier.numbers.notation import Notation
from courier.numbers.source import Stream

PLAIN = Reading()
COMMA = Reading(notation=Notation(decimal_comma=True))


def cut(text: str, size: int) -> Iterator[str]:
    return (text[start : start + size] for start in range(0, len(text), size))


def uploaded(text: str, reading: Reading = PLAIN, block: int = 5, size: int = 3) -> str:
    source = ListSource(cut(text, block), reading)
    source.check_beginning()
    return b"".join(iter(lambda: source.read(size), b"")).decode()


def of_file(content: bytes, reading: Reading = PLAIN) -> ListSource:
    return ListSource.of_stream(Stream(content[:10], io.BytesIO(content[10:])), "a.txt", reading)


@given(st.text("0123456789,.-; \n\r\t", max_size=60), st.integers(1, 9), st.integers(1, 9))
def test_an_upload_has_the_text_and_nothing_that_ends_it(text: str, block: int, size: int) -> None:
    try:
        parser.split(text)
    except NotANumberList:
        return

    assert uploaded(text, block=block, size=size) == text.rstrip(" \t\r\n")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_file_is_text_in_its_encoding(encoding: str) -> None:
    content = "1,2\r\n3\r\n".encode(encoding)

    assert of_file(content).text() == "1,2\r\n3\r\n"
    assert of_file(content).size_bytes == (len(content[:10]) if encoding.startswith("utf-8") else None)


def test_a_workbook_is_rejected_before_anything_is_done_with_it() -> None:
    with pytest.raises(Rejected, match="workbook"):
        of_file(b"PK\x03\x04" + bytes(1_000))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("block", [1, 2, 5, 7, 100])
def test_a_header_becomes_spaces_so_that_places_stay(end: str, block: int) -> None:
    text = f"größe, m{end}1,x"
    source = ListSource(cut(text, block), Reading(skip_header=True))

    with pytest.raises(NotANumberList) as raised:
        parser.split(source.text())

    assert raised.value.message.startswith(f"Item 2 (character {len(text)}) is 'x'")


def test_a_header_is_skipped_and_decimal_commas_are_read_wherever_the_text_is_cut() -> None:
    reading = Reading(skip_header=True, notation=Notation(decimal_comma=True, thousands=True))

    for block in (1, 3, 1_000):
        text = uploaded("price\r\n1.234,5\r\n2,5\r\n\r\n", reading, block)
        assert parser.split(text) == ["1234.5", "2.5"]


@pytest.mark.parametrize("block", [1, 4, 1_000])
def test_a_number_of_another_notation_is_rejected_by_its_place_in_the_file(block: int) -> None:
    with pytest.raises(NotANumberList, match=r"Item 4 \(character 14\) is '1.5'"):
        ListSource(cut("1,5;2,5\n3,5 \n1.5\n", block), COMMA).text()


def test_a_column_is_a_list_of_lines() -> None:
    assert uploaded("a,b\n1,2\n3,4\n", Reading(column="b")) == "2\n4"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1\n\n2\n", r"Line 2 \(character 3\) is empty"),
        ("1\r\n2\r\n \t\r\n3", r"Line 3 \(character 9\) is empty"),
        ("1\r2\r\r3", r"Line 3 \(character 5\) is empty"),
        ("1,2\n3\n\n\n\n4", r"Line 3 \(character 7\) is empty"),
        ("\n1", r"Item 1 \(character 1\) is empty"),
        ("price\n1", r"Item 1 \(character 1\) is 'price'"),
        ("1,2,\n3,4,\n", r"Item 3 \(character 5\) is empty"),
        ("", "list is empty"),
        ("\n \r\n", "list is empty"),
    ],
)
@pytest.mark.parametrize("block", [1, 2, 1_000])
def test_what_is_wrong_is_found_before_and_while_a_list_is_uploaded(text: str, said: str, block: int) -> None:
    with pytest.raises(NotANumberList, match=said):
        uploaded(text, block=block)


def test_an_empty_line_late_in_a_list_is_found() -> None:
    with pytest.raises(NotANumberList, match=r"Line 100,001 \(character 200,001\) is empty"):
        uploaded("1\n" * 100_000 + "\n2", block=1_000, size=1_000)


def test_any_number_of_empty_lines_at_the_end_is_left_out() -> None:
    assert uploaded("1\n2" + "\n" * 3_000_000, block=100_000, size=100_000) == "1\n2"


def test_a_source_remembers_both_ends_of_what_it_gave() -> None:
    source = ListSource(cut("x\n" + "1234567,\n" * 2_000 + "8", 999), Reading(skip_header=True))
    while source.read(1_000):
        pass

    assert source.beginning[:17] == "1234567,\n1234567,"
    assert len(source.beginning) == len(source.end) == 4_096
    assert source.end[-10:] == "1234567,\n8"


@pytest.mark.parametrize(("text", "noted"), [("1,5\n2,5\n", True), ("1\n2\n", False)])
def test_a_note_is_known_once_the_list_is_read(text: str, *, noted: bool) -> None:
    held, sent = ListSource([text], PLAIN), ListSource(cut(text, 2), PLAIN)
    held.text()
    sent.check_beginning()
    sent.read()

    assert ("--decimal-comma" in held.note) is ("--decimal-comma" in sent.note) is noted
    rewritten = ListSource([text], COMMA)
    rewritten.text()
    assert rewritten.note == ""


def test_lines_of_a_batch_lose_their_header_and_the_empty_ones_at_the_end() -> None:
    lines = ["a", None, "1", "", " \t", None, "2", "", "  ", None]

    assert list(without_last_empty(lines, skip_header=True)) == [None, "1", None, "", "", "2", None]
    assert list(without_last_empty(["", ""], skip_header=False)) == []


def test_the_upload_of_a_column_is_tracked_by_the_bytes_of_the_table() -> None:
    content = b"id,n\n" + b"10000,1\n" * 50_000
    source = ListSource.of_stream(Stream(content[:9], io.BytesIO(content[9:])), "a.csv", Reading(column="n"))
    moved: list[int] = []
    advance = source.tracked(moved.append)

    while block := source.read(10_000):
        advance(len(block))

    assert sum(moved) == len(content)
    assert len(moved) > 5
