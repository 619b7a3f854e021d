"""What an image is expected to take. `python -m bench.memory --all` holds it to what it takes."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from courier.images import memory
from courier.images.formats import FORMATS
from courier.images.operations import OPERATIONS

SIZE = (800, 500)
PIXELS = 0.4
#: A BMP's result is a PNG.
WRITTEN = memory.OF_FORMATS["PNG"][0] + memory.HELD


def needs(
    operations: str, mode: str = "RGB", image_format: str = "BMP", size: tuple[int, int] = SIZE, **options: object
) -> float:
    file = io.BytesIO()
    Image.new(mode, size).save(file, image_format, **options)
    return memory.needs({"operations": operations, "megapixels": 50}, file) - 2 * len(file.getvalue()) / 1e6


def test_it_grows_with_pixels_and_files() -> None:
    assert needs("negate") == pytest.approx(PIXELS * WRITTEN)
    assert needs("negate", size=(1600, 1000)) == pytest.approx(4 * PIXELS * WRITTEN)
    file = io.BytesIO()
    Image.new("RGB", SIZE).save(file, "BMP")
    whole = memory.needs({"operations": "negate", "megapixels": 50}, file)
    assert whole == pytest.approx(PIXELS * WRITTEN + 2 * len(file.getvalue()) / 1e6)


def test_the_largest_step_counts_and_the_format_of_the_result() -> None:
    assert needs("negate,blur=5,flip") > needs("blur=5") > needs("flip")
    assert needs("flip,convert=avif") == pytest.approx(PIXELS * (memory.OF_FORMATS["AVIF"][0] + memory.HELD))
    assert needs("resize=10x10,convert=avif") == needs("resize=10x10")
    assert needs("resize=200%") == pytest.approx(4 * PIXELS * memory.OF_OTHERS)
    assert needs("resize=50%:linear") > needs("resize=50%")


def test_a_draft_of_a_jpeg_takes_less_and_its_scans_more() -> None:
    assert needs("thumbnail=50", image_format="JPEG") < needs("thumbnail=50") / 9
    scans = needs("thumbnail=50", image_format="JPEG", progressive=True)
    assert scans == pytest.approx(PIXELS * memory.PROGRESSIVE)


def test_gray_takes_less_and_transparency_more() -> None:
    assert needs("flip", mode="L") == pytest.approx(needs("flip") * memory.GRAY)
    assert needs("sepia", mode="L") == pytest.approx(needs("sepia"))
    assert needs("flip", mode="RGBA", image_format="PNG") > needs("flip") * 1.4
    assert needs("convert=jpeg", mode="RGBA", image_format="PNG") > needs("convert=jpeg")


def test_each_frame_counts() -> None:
    frames = [Image.new("RGB", SIZE, (25 * shade, 0, 0)) for shade in range(10)]
    file = io.BytesIO()
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:])

    moving = memory.needs({"operations": "flip", "megapixels": 50}, file)
    still = memory.needs({"operations": "flip,convert=jpeg", "megapixels": 50}, file)

    assert moving > 10 * PIXELS * memory.DECODED > still


def test_its_names_are_those_of_operations_and_formats() -> None:
    assert memory.OF_OPERATIONS.keys() <= OPERATIONS.keys()
    assert memory.OF_FORMATS.keys() <= FORMATS.keys()
    assert memory.COLORFUL.issubset({*OPERATIONS, *FORMATS})
