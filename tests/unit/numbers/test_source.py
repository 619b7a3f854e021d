from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from courier.cancellation import Cancellation
from courier.errors import Rejected, WrongUsage
from courier.numbers.source import Stream, opened, read_lines


def lines_of(path: Path) -> list[str]:
    return [line for line in read_lines(str(path)) if line is not None]


def read_whole(path: str) -> bytes:
    with opened(path, Cancellation()) as file:
        return file.read()


@pytest.mark.parametrize("size", [1, 7, 5_000, -1])
def test_a_stream_goes_on_where_its_beginning_ends(size: int) -> None:
    content = b",".join(b"%d" % number for number in range(5_000))
    stream = Stream(content[:3_000], io.BytesIO(content[3_000:]))

    read = list(iter(lambda: stream.read(size), b""))

    assert b"".join(read) == content
    assert all(len(part) == size for part in read[:-1])


def test_lines_lose_their_ends_whatever_these_are(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbf1\n\n2\r\n3\r4\r\r5")

    assert lines_of(tmp_path / "a") == ["1", "", "2", "3", "4", "", "5"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32", "utf-32-be"])
def test_lines_are_read_in_the_encoding_that_a_byte_order_mark_says(tmp_path: Path, encoding: str) -> None:
    mark = "\ufeff" if encoding.endswith("-be") else ""
    (tmp_path / "a").write_bytes((mark + "1,2\r\n3\r\n").encode(encoding))

    assert lines_of(tmp_path / "a") == ["1,2", "3"]


def test_a_workbook_is_rejected_and_not_read_by_lines(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"PK\x03\x04\n\n\n")

    with pytest.raises(Rejected, match="workbook"):
        lines_of(tmp_path / "a")


def test_bytes_that_are_no_text_become_a_bad_line(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1\n\xff\n")

    assert lines_of(tmp_path / "a") == ["1", "\ufffd"]


@pytest.mark.parametrize("read", [read_whole, lambda path: list(read_lines(path))])
def test_a_file_that_is_not_there_is_said(tmp_path: Path, read: object) -> None:
    assert callable(read)
    with pytest.raises(WrongUsage, match="cannot be read: No such file"):
        read(str(tmp_path / "a"))
    with pytest.raises(WrongUsage, match="cannot be read: Is a directory"):
        read(str(tmp_path))


def test_a_silent_pipe_yields_nothing_for_the_moment_and_then_its_lines(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = os.open(tmp_path / "pipe", os.O_RDWR)
    lines = read_lines(str(tmp_path / "pipe"))

    assert next(lines) is None
    os.write(writer, b"1,2\n")
    assert next(line for line in lines if line is not None) == "1,2"
    os.close(writer)
    assert [line for line in lines if line is not None] == []
