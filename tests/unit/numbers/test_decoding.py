"""What a file's bytes say in any encoding that it names, and what is said of one that is no text."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.errors import Rejected
from courier.numbers.decoding import Decoder, lines

MARKED = ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]


def encoded(text: str, encoding: str) -> bytes:
    """Return text with its byte order mark."""
    marked = text if encoding.startswith("utf-8") else "\ufeff" + text
    return marked.encode(encoding)


def decoded(content: bytes, block: int) -> str:
    decoder = Decoder("a.txt")
    blocks = [content[start : start + block] for start in range(0, len(content), block)]
    return "".join([decoder.decode(one) for one in blocks] + [decoder.decode(b"", final=True)])


@given(st.text("0123456789,.-\n\r é\u202f\U0001f600", max_size=20), st.sampled_from(MARKED), st.integers(1, 9))
def test_text_is_that_of_its_encoding_wherever_it_is_cut(text: str, encoding: str, block: int) -> None:
    content = encoded(text, encoding)

    assert decoded(content, block) == text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"1\n\xff\n", "a.txt .*byte 3 .*UTF-8"),
        (b"\xef\xbb\xbf1\n\xe9", "byte 6 .*UTF-8"),
        (b"1,\xe9t\xe9", "byte 3 .*UTF-8"),
        (b"\xff\xfe1\x00\x00\xd8,\x00", "byte 5 .*UTF-16"),
        (b"\xff\xfe1", "byte 3 .*UTF-16"),
        (b"1,2,\x003", "byte 5 is zero.*binary file"),
        (b"1\x00,\x002\x00\n\x00", "byte 2 is zero"),
        (b"PK\x03\x04\x14\x00", "workbook.*CSV"),
        (b"\xd0\xcf\x11\xe0\xa1", "old Excel"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"PAR1\x15", "Parquet"),
        (b"\x93NUMPY\x01\x00", "numpy.savetxt"),
        (b"\x89PNG\r\n", "PNG"),
        (b"<!DOCTYPE html>", "web page"),
        (b"{\\rtf1", "rich text"),
    ],
)
@pytest.mark.parametrize("block", [1, 3, 100])
def test_what_is_no_text_is_said(content: bytes, said: str, block: int) -> None:
    with pytest.raises(Rejected) as raised:
        decoded(content, block)

    assert pytest.importorskip("re").search(said, raised.value.sentence)


@pytest.mark.parametrize(("encoding", "place"), [("utf-16-le", 2), ("utf-16-be", 1)])
@pytest.mark.parametrize("text", ["1,2\n", "1", " \u22125\n"])
@pytest.mark.parametrize("block", [1, 3, 100])
def test_utf_16_without_a_byte_order_mark_is_recognized(encoding: str, place: int, text: str, block: int) -> None:
    with pytest.raises(Rejected, match=f"byte {place} ") as raised:
        decoded(text.encode(encoding), block)

    assert "byte order mark" in raised.value.hint


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_byte_order_mark_is_no_text_either_where_bytes_are_replaced(encoding: str) -> None:
    with pytest.raises(Rejected, match="zero") as raised:
        list(Decoder("a.txt", errors="replace").texts(["1,2\n".encode(encoding)]))

    assert "byte order mark" in raised.value.hint


@given(st.text("1\n\r", max_size=20), st.integers(1, 9))
def test_lines_are_those_of_any_system_wherever_the_text_is_cut(text: str, block: int) -> None:
    blocks = [text[start : start + block] for start in range(0, len(text), block)]

    assert list(lines(blocks, 100)) == [line.rstrip("\n") for line in io.StringIO(text, newline=None)]


@pytest.mark.parametrize("block", [1, 4, 100])
def test_of_a_line_that_is_too_long_only_so_much_is_kept_as_to_tell_that_it_is(block: int) -> None:
    text = "12\n123\n12345678\n1234567"

    assert list(lines((text[start : start + block] for start in range(0, len(text), block)), 3)) == [
        "12", "123", "1234", "1234"
    ]  # fmt: skip


def test_small_numbers_in_two_bytes_each_are_no_text_in_utf_16() -> None:
    with pytest.raises(Rejected) as raised:
        decoded(b"\x01\x00\x02\x00", 100)

    assert "binary" in raised.value.hint


def test_a_byte_behind_earlier_blocks_is_reported_by_its_place_in_the_file() -> None:
    with pytest.raises(Rejected, match="byte 100,001 "):
        decoded(b"1," * 50_000 + b"\xff", 999)
