"""A contact sheet shows each operation on one's own image."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageOps

from courier.images.arguments import Size
from courier.images.operations import OPERATIONS
from courier.images.preview import sample
from courier.images.probe import Bounds
from courier.images.processor import Processed, process
from courier.images.transforms import thumbnail

BOUNDS = Bounds(megapixels=50, frames=300)
CELL = (176, 196)


def sheet(image: Image.Image, image_format: str = "PNG", operations: str = "sheet", **options: object) -> Processed:
    file = io.BytesIO()
    image.save(file, image_format, **options)
    return process(file, name="a.png", operations=operations, bounds=BOUNDS)


def cell(made: Image.Image, number: int) -> Image.Image:
    left, top = number % 6 * CELL[0] + 8, number // 6 * CELL[1] + 8
    return made.crop((left, top, left + 160, top + 160))


def test_every_operation_is_shown_in_its_order() -> None:
    source = Image.open(io.BytesIO(sample()))
    tile = thumbnail(source, {"size": Size(width=160)})

    made = Image.open(io.BytesIO(sheet(source, operations="thumbnail=160,contact-sheet,convert=png").content))

    names = [name for name in OPERATIONS if name != "contact-sheet"]
    expected = {"negate": ImageOps.invert(tile), "flip": ImageOps.flip(tile), "strip-metadata": tile}
    for name, image in {"the image": tile, **expected}.items():
        found = cell(made, names.index(name) + 1 if name in names else 0)
        assert found.crop((0, 20, 160, 140)).tobytes() == image.convert("RGB").tobytes()
    unchanged = [
        name for number, name in enumerate(names, 1) if cell(made, number).tobytes() == cell(made, 0).tobytes()
    ]
    assert unchanged == ["normalize", "strip-metadata"]  # the sample image is black to white


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (2000, 3)])
@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "I;16"])
def test_a_sheet_is_made_of_images_of_every_kind(mode: str, size: tuple[int, int]) -> None:
    made = sheet(Image.new(mode, size))

    assert (made.name, made.media_type) == ("a.png.thumbnail-160-contact-sheet.jpg", "image/jpeg")
    assert (made.width, made.height) == (6 * CELL[0], -(-len(OPERATIONS) // 6) * CELL[1])


def test_an_animation_has_a_sheet_of_its_first_frame_and_says_so() -> None:
    frames = [Image.new("L", (20, 10), shade) for shade in (0, 90, 200)]

    made = sheet(frames[0], "GIF", save_all=True, append_images=frames[1:])

    assert made.frames == 1
    assert any("only the first of 3 frames" in note for note in made.notes)
