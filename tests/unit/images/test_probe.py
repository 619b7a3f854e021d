from __future__ import annotations

import io

import pytest
from PIL import Image

from courier.errors import NotAnImage, Reason
from courier.images.probe import read_header


@pytest.mark.parametrize(
    ("content", "reason", "said"),
    [
        (b"", Reason.EMPTY, "is empty"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", Reason.UNSUPPORTED_FORMAT, "not an image"),
    ],
)
def test_what_is_no_image_is_rejected_with_a_reason(content: bytes, reason: Reason, said: str) -> None:
    with pytest.raises(NotAnImage) as raised:
        read_header(io.BytesIO(content))

    assert raised.value.reason == reason
    assert said in raised.value.message


def test_a_jpeg_of_thousands_of_scans_is_rejected() -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG", progressive=True)
    content = file.getvalue()
    place = content.rfind(b"\xff\xda")

    assert read_header(io.BytesIO(content)).format == "JPEG"
    with pytest.raises(NotAnImage, match="more than 100 scans"):
        read_header(io.BytesIO(content[:place] + content[place:-2] * 200))
    # What a phone appends behind the image is no part of it.
    assert read_header(io.BytesIO(content + b"\xff\xda" * 1_000)).format == "JPEG"
