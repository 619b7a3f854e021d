"""Each operation does what plain Pillow does by its name, or what geometry says.

What Pillow has none of is in test_effects, test_transforms and test_watermark.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from tests.support.image_files import applied, photo

SAMPLE = photo((80, 60))
UNSHARP = ImageFilter.UnsharpMask(radius=2, percent=150, threshold=2)


PLAIN: dict[str, Callable[[Image.Image], Image.Image]] = {
    "grayscale": lambda image: image.convert("L"),
    "black-and-white": lambda image: image.convert("1"),
    "negate": ImageOps.invert,
    "posterize=2": lambda image: ImageOps.posterize(image, 2),
    "solarize=100": lambda image: ImageOps.solarize(image, 100),
    "equalize": ImageOps.equalize,
    "normalize": ImageOps.autocontrast,
    "brightness=1.5": lambda image: ImageEnhance.Brightness(image).enhance(1.5),
    "contrast=0.5": lambda image: ImageEnhance.Contrast(image).enhance(0.5),
    "saturation=0": lambda image: image.convert("L").convert("RGB"),
    "blur=3": lambda image: image.filter(ImageFilter.GaussianBlur(3)),
    "sharpen": lambda image: image.filter(UNSHARP),
    "edges": lambda image: image.filter(ImageFilter.FIND_EDGES),
    "emboss": lambda image: image.filter(ImageFilter.EMBOSS),
    "contour": lambda image: image.filter(ImageFilter.CONTOUR),
    "rotate=90": lambda image: image.transpose(Image.Transpose.ROTATE_270),
    "rotate=-90": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "rotate=540": lambda image: image.transpose(Image.Transpose.ROTATE_180),
    "flip": ImageOps.flip,
    "flop": ImageOps.mirror,
    "crop=30x20+5+6": lambda image: image.crop((5, 6, 35, 26)),
    "crop=30x20": lambda image: image.crop((25, 20, 55, 40)),
    "crop=30x20:southeast": lambda image: image.crop((50, 40, 80, 60)),
    "crop=500x20:north": lambda image: image.crop((0, 0, 80, 20)),
    "border=4:red": lambda image: ImageOps.expand(image, 4, "red"),
    "resize=40x30:fill": lambda image: image.resize((40, 30), Image.Resampling.LANCZOS, reducing_gap=1.5),
    "strip-metadata": lambda image: image,
    "convert=png": lambda image: image,
}


@pytest.mark.parametrize("text", [text for text in PLAIN if text != "rotate=540"])
def test_it_is_what_pillow_makes_of_it(text: str) -> None:
    assert applied(text).tobytes() == PLAIN[text](SAMPLE).tobytes()


def test_turning_goes_clockwise_and_further_than_once() -> None:
    assert applied("rotate=180").tobytes() == applied("rotate=-180").tobytes() == PLAIN["rotate=540"](SAMPLE).tobytes()


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("resize=40x40", (40, 30)), ("resize=40x40:outside", (53, 40)), ("resize=40x40:cover", (40, 40)),
        ("resize=40x40:contain", (40, 40)), ("resize=40x40:fill", (40, 40)), ("resize=160x", (160, 120)),
        ("resize=x30", (40, 30)), ("resize=50%", (40, 30)), ("resize=200%:cover", (160, 120)),
        ("thumbnail=40", (40, 30)), ("thumbnail=400", (80, 60)), ("thumbnail=40x10", (13, 10)),
        ("thumbnail=10%", (8, 6)),
        ("rotate=45", (100, 100)), ("border=10", (100, 80)), ("crop=90x90", (80, 60)),
    ],
)  # fmt: skip
def test_sizes_are_those_that_geometry_gives(text: str, size: tuple[int, int]) -> None:
    assert all(abs(one - other) <= 1 for one, other in zip(applied(text).size, size, strict=True))
