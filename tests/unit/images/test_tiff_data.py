"""What Pillow passes over in a TIFF's data is damage: codes that there are not, and wrong check sums."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import cast

import pytest
from PIL import Image, TiffImagePlugin

from courier.errors import NotAnImage, Reason
from courier.images import tiff_data
from courier.images.decoding import decode
from courier.images.preview import sample
from courier.images.probe import open_source

FAX = ("tiff_ccitt", "group3", "group4")
DEFLATED = ("tiff_deflate", "tiff_adobe_deflate")


def content(compression: str) -> bytes:
    file = io.BytesIO()
    image = Image.open(io.BytesIO(sample())).convert("L").resize((96, 64))
    image = image.convert("1", dither=Image.Dither.NONE) if compression in FAX else image
    image.save(file, "TIFF", compression=compression)
    return file.getvalue()


def part(data: bytes) -> tuple[int, int]:
    """Return where the one strip begins and ends."""
    tags = cast("TiffImagePlugin.TiffImageFile", Image.open(io.BytesIO(data))).tag_v2
    return tags[273][0], tags[273][0] + tags[279][0]


def damaged(data: bytes, place: int, bits: int) -> bytes:
    return data[:place] + bytes([data[place] ^ bits]) + data[place + 1 :]


@pytest.mark.parametrize("compression", [*FAX, *DEFLATED, "tiff_lzw", "packbits", "raw"])
def test_what_is_not_damaged_is_decoded(compression: str) -> None:
    data = content(compression)
    image = Image.open(io.BytesIO(data))

    tiff_data.load(image)

    assert image.tobytes() == Image.open(io.BytesIO(data)).tobytes()


@pytest.mark.parametrize("compression", FAX)
def test_codes_that_there_are_not_are_damage(compression: str) -> None:
    data = content(compression)
    start, end = part(data)
    said = set()

    for place in range(start, end):
        try:
            decode(open_source(io.BytesIO(damaged(data, place, 1 << place % 8))), print)
        except NotAnImage as error:
            assert error.reason == Reason.CORRUPT
            said.add(" ".join(error.message.split()[7:11]))

    assert any(one.startswith("libtiff reports Fax") for one in said), said


@pytest.mark.parametrize("compression", DEFLATED)
def test_any_damage_to_deflated_data_is_found(compression: str) -> None:
    data = content(compression)
    start, end = part(data)

    for place in (start + (end - start) // 2, end - 4, end - 1):
        with pytest.raises(NotAnImage, match="part 1 cannot be inflated") as raised:
            decode(open_source(io.BytesIO(damaged(data, place, 1))), print)
        assert raised.value.reason == Reason.CORRUPT


def test_stderr_is_what_it_was_afterwards(capfd: pytest.CaptureFixture[str]) -> None:
    data = content("group4")
    start, _ = part(data)
    before = len(list(Path("/dev/fd").iterdir()))

    for _ in range(3):
        with pytest.raises(OSError, match="Fax4Decode"):
            tiff_data.load(Image.open(io.BytesIO(data[: start + 20] + b"\1" * 16 + data[start + 36 :])))
    os.write(2, b"after")

    assert capfd.readouterr().err == "after"
    assert len(list(Path("/dev/fd").iterdir())) == before
