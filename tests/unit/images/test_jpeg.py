"""A JPEG is read marker by marker: whether all of it is there, and how far a decoder has read."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from courier.errors import NotAnImage, Reason
from courier.images import jpeg
from tests.support.image_files import do, encoded, photo, rejected

JPEGS: dict[str, tuple[str, dict[str, Any]]] = {
    "4:2:0": ("RGB", {}),
    "4:4:4": ("RGB", {"subsampling": 0, "quality": 95}),
    "4:2:2": ("RGB", {"subsampling": 1}),
    "gray": ("L", {}),
    "cmyk": ("CMYK", {}),
    "restarts": ("RGB", {"restart_marker_blocks": 4}),
    "optimized": ("RGB", {"optimize": True}),
}


def test_a_jpeg_that_is_cut_anywhere_in_its_header_is_damaged() -> None:
    content = encoded("JPEG", photo((16, 16)))
    header = content.index(b"\xff\xda") + 14

    for length in range(200, header):
        rejected(content[:length], "flip")


@pytest.mark.parametrize("kind", JPEGS)
@pytest.mark.parametrize("operations", ["flip", "thumbnail=24", "grayscale"])
def test_a_jpeg_is_whole_or_rejected_with_its_readable_rows(kind: str, operations: str) -> None:
    mode, options = JPEGS[kind]
    content = encoded("JPEG", photo((320, 240), mode), **options)
    scan = content.index(b"\xff\xda") + 14

    whole = do(content, operations)
    assert not any("damaged" in note or "end marker" in note for note in whole.notes)
    for part in (0.3, 0.9):
        cut = content[: scan + int((len(content) - scan) * part)]
        for damaged in (cut, cut + b"\xff\xd9"):
            assert " rows can be read" in rejected(damaged, operations)
    assert " rows can be read" in rejected(content[:-40] + b"\xff\xd9", operations)


def test_a_jpeg_without_its_end_marker_whose_rows_are_all_there_is_taken() -> None:
    content = encoded("JPEG", photo((320, 240)))

    whole, endless = do(content), do(content[:-2])

    assert endless.content == whole.content
    assert endless.notes == ["its end marker is missing, but all its rows are there"]


@pytest.mark.parametrize("kind", ["4:2:0", "4:4:4", "gray"])
def test_data_that_do_not_fit_a_jpegs_size_are_said(kind: str) -> None:
    mode, options = JPEGS[kind]
    content = encoded("JPEG", photo((320, 240), mode), **options)

    assert do(content[:-2] + bytes(4) + content[-2:]).notes == do(content).notes
    assert "may be damaged" in do(content[:-2] + bytes(300) + content[-2:]).notes[-1]


def test_restarts_out_of_order_are_said() -> None:
    content = encoded("JPEG", photo((320, 240)), restart_marker_blocks=4)
    first, second = content.index(b"\xff\xd3"), content.index(b"\xff\xd4")
    lost = content[:first] + content[second:]

    try:
        assert "may be damaged" in do(lost).notes[-1]
    except NotAnImage as error:
        assert error.reason == Reason.CORRUPT  # where pixels came out short


def test_a_progressive_jpeg_that_lacks_scans_is_rejected() -> None:
    content = encoded("JPEG", photo((320, 240)), progressive=True)
    last = content.rindex(b"\xff\xda")

    assert do(content).notes == []
    assert "scans are missing" in rejected(content[:last] + b"\xff\xd9")
    assert rejected(content[: len(content) // 2])
    assert rejected(content[:-30])


# Headers


@pytest.mark.parametrize(
    ("mode", "options", "channels", "scans"),
    [("RGB", {}, 3, 1), ("L", {}, 1, 1), ("CMYK", {}, 4, 1), ("RGB", {"progressive": True}, 3, 10)],
)
def test_the_headers_of_a_whole_file_are_read(mode: str, options: dict[str, Any], channels: int, scans: int) -> None:
    content = encoded("JPEG", photo(mode=mode), **options)

    found = jpeg.read(content, 99)

    assert (found.bits, found.channels, found.scans, found.oddity) == (8, channels, scans, "")
    assert found.is_complete
    assert found.is_in_order
    assert found.is_common
    assert found.is_single == (scans == 1)
    assert found.start == content.index(b"\xff\xda") + 2
    assert content[found.end :] == b"\xff\xd9"
    assert found.has_end


def test_scans_are_counted_to_a_limit() -> None:
    assert jpeg.read(encoded("JPEG", progressive=True), 3).scans == 4


def test_what_follows_the_first_image_and_what_looks_like_a_marker_in_metadata_is_no_part_of_it() -> None:
    plain = jpeg.read(encoded("JPEG"), 99)
    comment = b"\xff\xd9\xff\xda\xff\xc2" * 9
    content = encoded("JPEG", comment=comment)

    found = jpeg.read(content + content + b"\xff\xda a video", 99)

    assert (found.scans, found.frame, found.has_end) == (1, plain.frame, True)
    assert found.end - found.start == plain.end - plain.start


def test_fill_bytes_before_a_marker_are_no_data() -> None:
    content = encoded("JPEG")

    assert jpeg.read(content[:-2] + b"\xff\xff" + content[-2:], 99).end == len(content) - 2


@pytest.mark.parametrize(
    ("marker", "bits", "channels", "oddity"),
    [
        (0xC0, 8, 3, ""),
        (0xC9, 8, 3, ""),
        (0xC1, 12, 3, "of 12 bits a channel"),
        (0xC3, 16, 1, "without loss"),
        (0xF7, 8, 1, "by JPEG-LS"),
        (0xCE, 8, 3, "of several layers"),
        (0xC0, 8, 2, "of 2 channels"),
    ],
)
def test_a_frame_that_is_not_supported_is_called_what_it_is(marker: int, bits: int, channels: int, oddity: str) -> None:
    parts = b"".join(bytes([number, 0x11, 0]) for number in range(channels))
    frame = bytes([0xFF, marker, 0, 8 + len(parts), bits, 0, 8, 0, 8, channels]) + parts

    found = jpeg.read(b"\xff\xd8" + frame + b"\xff\xd9", 99)

    assert found.oddity == oddity
    assert found.is_common == (marker in {0xC0, 0xC1})


# A decoder's reads


def test_padding_lets_the_last_row_be_decoded_before_the_end() -> None:
    content = encoded("JPEG")
    found = jpeg.read(content[:-2], 99)

    padded = Image.open(io.BytesIO(jpeg.padded(content[:-2], found)))

    assert padded.tobytes() == Image.open(io.BytesIO(content)).tobytes()
    assert not found.has_end


def test_no_read_crosses_a_stop_and_each_stop_is_reported() -> None:
    reached: list[int] = []
    file = jpeg.StagedFile(bytes(range(20)))
    file.stops = [(8, lambda: reached.append(8)), (15, lambda: reached.append(15))]

    parts = [(file.read(size), [*reached]) for size in (3, 100, -1, None, 2)]

    assert [len(part) for part, _ in parts] == [3, 5, 7, 5, 0]
    assert b"".join(part for part, _ in parts) == bytes(range(20))
    assert [seen for _, seen in parts] == [[], [], [8], [8, 15], [8, 15]]


@pytest.mark.parametrize(("left_out", "last_bytes", "end"), [(0, True, False), (200, True, True)])
def test_a_decoder_needs_the_end_only_where_rows_are_missing(left_out: int, *, last_bytes: bool, end: bool) -> None:
    content = encoded("JPEG", photo((320, 240)))
    content = content[: len(content) - 2 - left_out]
    found, watch = jpeg.read(content, 99), jpeg.Watch()
    file = jpeg.StagedFile(jpeg.padded(content, found))
    image = Image.open(file)
    file.stops = watch.stops(found.end)
    image.load()

    assert (watch.needed_last_bytes, watch.needed_end) == (last_bytes, end)
