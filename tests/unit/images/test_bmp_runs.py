"""Runs of compressed BMPs: whole rows, and nothing beyond them."""

from __future__ import annotations

import pytest

from courier.images.bmp_runs import unpacked


@pytest.mark.parametrize(
    ("data", "pixels"),
    [
        (b"\3\7\0\0\3\x08", [7, 7, 7, 8, 8, 8]),
        (b"\0\3\1\2\3\0\0\0\3\x08\0\1", [1, 2, 3, 8, 8, 8]),
        (b"\0\0\3\x08\0\1", [0, 0, 0, 8, 8, 8]),
        (b"\1\7\0\2\1\1\1\x08\0\1", [7, 0, 0, 0, 0, 8]),
        (b"\0\1", [0] * 6),
        (b"\3\7\0\0\3\x08\0\0\0\1", [7, 7, 7, 8, 8, 8]),
    ],
)
def test_runs_single_pixels_moves_and_ends(data: bytes, pixels: list[int]) -> None:
    assert list(unpacked(data, (3, 2), is_four=False)) == pixels


def test_two_pixels_a_byte() -> None:
    data = b"\3\x12\0\0\0\3\x34\x50"

    assert list(unpacked(data, (3, 2), is_four=True)) == [1, 2, 1, 3, 4, 5]


@pytest.mark.parametrize("data", [b"\4\7", b"\0\4\1\2\3\4", b"\0\2\3\0\1\7", b"\0\0\0\0\1\7"])
def test_what_goes_beyond_a_row_is_damage(data: bytes) -> None:
    with pytest.raises(OSError, match="goes beyond the end of row"):
        unpacked(data, (3, 2), is_four=False)


@pytest.mark.parametrize("data", [b"", b"\3", b"\3\7", b"\3\7\0\0", b"\3\7\0\0\2\x08", b"\3\7\0\0\0\3\1\2"])
def test_rows_that_are_missing_are_counted(data: bytes) -> None:
    with pytest.raises(OSError, match=r"only [01] of 2 rows"):
        unpacked(data, (3, 2), is_four=False)
