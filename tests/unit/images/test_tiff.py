"""TIFFs are read right by libtiff, or rejected by what their tags say."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from PIL import Image

from courier.errors import NotAnImage, Reason
from courier.images import tiff
from tests.support.conformance.cell import pattern
from tests.support.conformance.tiff_writer import Tiff

RGB = Tiff(samples=pattern(3), bits=8, photometric=2)
GRAY = Tiff(samples=pattern(1, 16), bits=16, photometric=1)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (replace(RGB, order=">", is_big=True), "big-endian byte order as a BigTIFF"),
        (replace(RGB, samples=pattern(3, 32), bits=32, sample_format=3), "RGB of 32 bits (fractions)"),
        (replace(GRAY, samples=pattern(2, 16), extra=(2,)), "gray and alpha or other channels of 16 bits"),
        (replace(GRAY, samples=pattern(1, 7), bits=8, sample_format=2), "gray of 8 bits (signed)"),
        (replace(RGB, tags={258: (5, 6, 5)}), "RGB of 5/6 bits"),
        (replace(RGB, tags={259: (34_712,)}), "RGB of 8 bits, compressed as JPEG 2000"),
        (replace(RGB, tags={259: (9_999,)}), "RGB of 8 bits, compressed as number 9999"),
        (replace(RGB, photometric=99), "photometric interpretation 99"),
        (replace(GRAY, photometric=32_803), "a camera's raw data"),
    ],
)
def test_what_is_not_read_is_reported_by_its_tags(file: Tiff, said: str) -> None:
    reason = tiff.why_unread(io.BytesIO(file.content()))

    assert reason
    assert said in reason.message
    assert reason.reason == Reason.UNSUPPORTED_FORMAT


def test_what_is_damaged_is_not_called_unknown() -> None:
    reason = tiff.why_unread(io.BytesIO(RGB.content()[:500]))

    assert reason
    assert reason.reason == Reason.CORRUPT
    assert tiff.why_unread(io.BytesIO(b"not a TIFF")) is None
    assert tiff.why_unread(io.BytesIO(RGB.content())) is None


def test_a_cr2s_preview_is_not_taken_for_its_image() -> None:
    file = io.BytesIO(RGB.content())
    image = Image.open(file)
    file.getbuffer()[8:10] = b"CR"

    with pytest.raises(NotAnImage, match="camera's raw data"):
        tiff.check(image, file)


def test_gray_beyond_what_pillow_holds_is_rejected() -> None:
    image = Image.open(io.BytesIO(replace(GRAY, samples=pattern(1, 32), bits=32).content()))
    image.load()

    with pytest.raises(NotAnImage, match="values above"):
        tiff.corrected(image)
