from __future__ import annotations

import io

import pytest
from PIL import Image

from courier.errors import NotAnImage
from courier.images.preview import GAP, SAMPLE_NAME, blocks, sample, strip
from courier.images.probe import Bounds, read_header

BOUNDS = Bounds(megapixels=50, frames=10)


def test_the_sample_is_a_colorful_image() -> None:
    header = read_header(io.BytesIO(sample()))

    assert (header.format, header.width, header.height, header.is_moving) == ("PNG", 640, 480, False)
    assert SAMPLE_NAME.endswith(".png")
    assert len(Image.open(io.BytesIO(sample())).getcolors(10**6) or []) > 1000


def file_of(image: Image.Image) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file


def test_blocks_are_two_pixels_each_and_keep_the_shape() -> None:
    image = Image.new("RGBA", (100, 50), "red")
    image.paste((0, 0, 255, 255), (0, 25, 100, 50))

    found = strip([file_of(image)], BOUNDS, cell=(1, 2), columns=20, lines=10)
    lines = blocks(found)

    assert (found.columns, found.lines) == (20, 5)
    assert [len(line) for line in lines] == [20] * 5
    assert lines[0][0] == ((255, 0, 0), (255, 0, 0))
    assert lines[-1][-1] == ((0, 0, 255), (0, 0, 255))


def test_images_stand_side_by_side_on_whole_cells() -> None:
    wide, small = Image.new("RGB", (100, 33), "red"), Image.new("RGBA", (7, 5), (0, 0, 0, 0))

    found = strip([file_of(wide), file_of(small)], BOUNDS, cell=(8, 16), columns=10, lines=4, least=[1, 6])

    assert found.widths == [10, 6]
    assert (found.columns, found.lines) == (10 + GAP + 6, 2)
    assert found.image.size == (18 * 8, 2 * 16)
    assert found.image.getpixel((0, 0)) == (255, 0, 0, 255)
    assert found.image.getpixel((12 * 8, 0)) == (40, 40, 40, 255)  # what is transparent
    assert found.image.getpixel((10 * 8, 0)) == found.image.getpixel((0, 31)) == (0, 0, 0, 0)


def test_what_is_no_image_is_not_shown() -> None:
    for content in (b"hello", sample()[:3_000]):
        with pytest.raises(NotAnImage):
            strip([io.BytesIO(content)], BOUNDS, cell=(1, 2), columns=20, lines=10)
