"""Frames of a GIF: no color is lost that has room, and no file is much larger than it was."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageSequence, ImageStat

from courier.images.palette import paletted, uncovers
from courier.images.preview import sample
from courier.images.probe import Bounds
from courier.images.processor import Processed, process

SIZE = (160, 120)


def photo(number: int = 0, mode: str = "RGB") -> Image.Image:
    image = Image.open(io.BytesIO(sample())).convert("RGB").resize((320, 240)).rotate(7 * number)
    return image.crop((80, 60, 240, 180)).convert(mode)


def gif(*frames: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=50, loop=0, **options)
    return file.getvalue()


def do(content: bytes, operations: str = "flip") -> Processed:
    return process(io.BytesIO(content), name="a", operations=operations, bounds=Bounds(megapixels=50, frames=50))


def frames_of(content: bytes) -> list[Image.Image]:
    return [frame.convert("RGBA") for frame in ImageSequence.Iterator(Image.open(io.BytesIO(content)))]


def palettes() -> list[Image.Image]:
    return [photo(number).quantize(256) for number in range(4)]


def moving_box() -> list[Image.Image]:
    """Return frames in which something small moves on a photograph."""
    frames = []
    for number in range(12):
        frame = photo().quantize(200).convert("RGB")
        frame.paste("red", (10 * number, 40, 10 * number + 20, 60))
        frames.append(frame)
    return frames


def on_nothing() -> list[Image.Image]:
    """Return frames in which something moves on a transparent ground."""
    frames = []
    for number in range(6):
        frame = Image.new("RGBA", SIZE, (0, 0, 0, 0))
        frame.paste(photo(number).quantize(250).convert("RGBA").crop((0, 0, 60, 60)), (10 * number, 5 * number))
        frames.append(frame)
    return frames


@pytest.mark.parametrize("make", [palettes, moving_box, on_nothing])
@pytest.mark.parametrize("operations", ["flip", "rotate=180", "strip-metadata", "negate"])
def test_an_exact_operation_keeps_every_color_of_a_gif(make: Any, operations: str) -> None:
    content = gif(*make(), disposal=2 if make is on_nothing else 0)
    turned = {"flip": Image.Transpose.FLIP_TOP_BOTTOM, "rotate=180": Image.Transpose.ROTATE_180}

    made = do(content, operations)

    sources, results = frames_of(content), frames_of(made.content)
    assert len(sources) == len(results) == made.frames
    for source, result in zip(sources, results, strict=True):
        expected = source.transpose(turned[operations]) if operations in turned else source
        if operations == "negate":
            expected = ImageChops.invert(source.convert("RGB")).convert("RGBA")
            expected.putalpha(source.getchannel("A"))
        assert result.convert("RGBa").tobytes() == expected.convert("RGBa").tobytes()


@pytest.mark.parametrize("make", [palettes, moving_box, on_nothing])
def test_a_gif_does_not_grow_much(make: Any) -> None:
    content = gif(*make(), disposal=2 if make is on_nothing else 0)

    assert len(do(content).content) < 1.25 * len(content)


def test_more_colors_are_no_worse_than_median_cut() -> None:
    content = gif(*palettes())

    made = frames_of(do(content, "blur=1").content)[0].convert("RGB")

    assert_like(made, frames_of(content)[0].convert("RGB"), "blur=1")


def assert_like(made: Image.Image, source: Image.Image, operations: str) -> None:
    file = io.BytesIO()
    source.save(file, "PNG")
    exact = Image.open(io.BytesIO(do(file.getvalue(), operations).content)).convert("RGB")
    best = exact.quantize(256, Image.Quantize.MEDIANCUT).convert("RGB")
    ours, theirs = (sum(ImageStat.Stat(ImageChops.difference(exact, one)).mean) for one in (made, best))
    assert ours <= theirs * 1.05


def test_a_transparent_pixel_takes_one_color_of_the_palette() -> None:
    image = Image.new("RGBA", (16, 16))
    for number in range(256):
        image.putpixel((number % 16, number // 16), (number, 255 - number, number // 2, 255 * (number > 0)))

    made, is_exact = paletted(image)

    assert is_exact
    assert made.convert("RGBA").convert("RGBa").tobytes() == image.convert("RGBa").tobytes()
    assert paletted(Image.new("RGBA", (4, 4)))[0].convert("RGBA").getchannel("A").getextrema() == (0, 0)


def test_a_frame_uncovers_what_was_visible_before_it() -> None:
    full, hole = Image.new("RGBA", (8, 8), "red"), Image.new("RGBA", (8, 8), "red")
    hole.putpixel((3, 3), (0, 0, 0, 0))
    shown, holed = paletted(full)[0], paletted(hole)[0]

    assert uncovers(shown, holed)
    assert not uncovers(holed, shown)
    assert not uncovers(holed, holed)
    assert not uncovers(Image.new("L", (8, 8)), Image.new("L", (8, 8)))
