from __future__ import annotations

import io

import pytest
from PIL import Image

from courier.errors import NotAnImage
from courier.images.preview import SAMPLE_NAME, half_blocks, sample
from courier.images.probe import Bounds, read_header

BOUNDS = Bounds(megapixels=50, frames=10)


def test_the_sample_is_a_colorful_image() -> None:
    header = read_header(io.BytesIO(sample()))

    assert (header.format, header.width, header.height, header.is_moving) == ("PNG", 640, 480, False)
    assert SAMPLE_NAME.endswith(".png")
    assert len(Image.open(io.BytesIO(sample())).getcolors(10**6) or []) > 1000


def test_half_blocks_are_two_pixels_each_and_keep_the_shape() -> None:
    image = Image.new("RGBA", (100, 50), "red")
    image.paste((0, 0, 255, 255), (0, 25, 100, 50))
    file = io.BytesIO()
    image.save(file, "PNG")

    lines = half_blocks(file, BOUNDS, columns=20, lines=10)

    assert [len(line) for line in lines] == [20] * 5
    assert lines[0][0] == ((255, 0, 0), (255, 0, 0))
    assert lines[-1][-1] == ((0, 0, 255), (0, 0, 255))


def test_what_is_no_image_has_no_half_blocks() -> None:
    with pytest.raises(NotAnImage):
        half_blocks(io.BytesIO(b"hello"), BOUNDS, columns=20, lines=10)
    with pytest.raises(NotAnImage):
        half_blocks(io.BytesIO(sample()[:3_000]), BOUNDS, columns=20, lines=10)
