"""BMPs: their profile is found, and what is not read is said."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from PIL import Image

from courier.errors import NotAnImage, Reason
from courier.images import bmp
from tests.support.conformance import space
from tests.support.conformance.bmp import BITFIELDS, JPEG, Bmp, indexed

PLAIN = Bmp(rows=[bytes(64)] * 18, bits=24)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (replace(PLAIN, header=16), "a header of 16 bytes"),
        (replace(PLAIN, compression=JPEG), "a JPEG inside"),
        (indexed(2)[0], "2 bits a pixel"),
        (
            replace(PLAIN, bits=32, compression=BITFIELDS, masks=(0x3FF00000, 0xFFC00, 0x3FF)),
            "bit fields of an unusual order or size (3FF00000, FFC00, 3FF)",
        ),
    ],
)
def test_what_is_not_read_is_reported_by_its_header(file: Bmp, said: str) -> None:
    reason = bmp.why_unread(io.BytesIO(file.content()))

    assert reason
    assert said in reason.message
    assert reason.reason == Reason.UNSUPPORTED_FORMAT


@pytest.mark.parametrize("content", [b"", b"BM", b"BMP is what this letter is about", PLAIN.content()])
def test_what_is_no_bmp_or_a_usual_one_has_no_such_reason(content: bytes) -> None:
    assert bmp.why_unread(io.BytesIO(content)) is None or content.startswith(b"BMP")


def test_a_profile_is_found() -> None:
    profile = space.profile(space.DISPLAY_P3)
    file = io.BytesIO(replace(PLAIN, header=124, profile=profile).content())
    image = Image.open(file)

    bmp.prepare(image, file)

    assert image.info["icc_profile"] == profile


def test_transparency_of_one_bit_is_not_dropped() -> None:
    masks = (0x7C00, 0x03E0, 0x001F, 0x8000)
    file = io.BytesIO(replace(PLAIN, bits=16, header=108, compression=BITFIELDS, masks=masks).content())

    with pytest.raises(NotAnImage, match="transparency"):
        bmp.prepare(Image.open(file), file)
