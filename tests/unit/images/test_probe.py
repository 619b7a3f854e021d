from __future__ import annotations

import io
import zlib

import pytest
from PIL import Image

from courier.errors import NotAPicture, Reason
from courier.images.probe import Bounds, read_header

BOUNDS = Bounds(megapixels=50, frames=10)


def chunk(name: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")


def test_too_many_pixels_are_refused_from_the_header() -> None:
    size = (60_000).to_bytes(4, "big") * 2
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size + b"\x08\x02\x00\x00\x00") + chunk(b"IDAT", b"")

    with pytest.raises(NotAPicture, match=r"60000 x 60000 pixels \(3600.0 million\); at most 50 million"):
        read_header(io.BytesIO(content), BOUNDS)


@pytest.mark.parametrize(
    ("content", "reason", "said"),
    [
        (b"", Reason.EMPTY, "is empty"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", Reason.UNSUPPORTED_FORMAT, "not an image"),
    ],
)
def test_what_is_no_picture_is_refused_with_a_reason(content: bytes, reason: Reason, said: str) -> None:
    with pytest.raises(NotAPicture) as raised:
        read_header(io.BytesIO(content), BOUNDS)

    assert raised.value.reason == reason
    assert said in raised.value.message


def test_a_jpeg_of_thousands_of_scans_is_refused() -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG", progressive=True)
    content = file.getvalue()
    place = content.rfind(b"\xff\xda")

    assert read_header(io.BytesIO(content), BOUNDS).format == "JPEG"
    with pytest.raises(NotAPicture, match="more than 100 scans"):
        read_header(io.BytesIO(content[:place] + content[place:-2] * 200), BOUNDS)
    # What a phone appends behind the picture is no part of it.
    assert read_header(io.BytesIO(content + b"\xff\xda" * 1_000), BOUNDS).format == "JPEG"
