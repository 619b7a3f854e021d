"""The sample image, and previews for terminals."""

from __future__ import annotations

import io
from functools import cache
from typing import IO

from PIL import Image, ImageDraw, ImageOps

from courier.errors import CourierError
from courier.images.probe import Bounds, check_size, damaged, open_source

SAMPLE_NAME = "sample.png"
#: Red, green and blue, from 0 to 255.
Color = tuple[int, int, int]


@cache
def sample() -> bytes:
    """Return the sample image: a colorful PNG of 640 x 480 pixels, drawn once."""
    across = Image.linear_gradient("L").rotate(90).resize((640, 480))
    down = Image.linear_gradient("L").resize((640, 480))
    image = Image.merge("RGB", (across, down, ImageOps.invert(across)))
    draw = ImageDraw.Draw(image)
    draw.ellipse((220, 120, 420, 320), fill="gold", outline="black", width=4)
    draw.polygon([(320, 60), (560, 420), (80, 420)], outline="white", width=6)
    draw.text((24, 24), "Courier", fill="white", font_size=48)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def half_blocks(file: IO[bytes], bounds: Bounds, *, columns: int, lines: int) -> list[list[tuple[Color, Color]]]:
    """Return an image as rows of characters, each with the colors of its upper and lower half.

    Transparency is shown on a dark gray. Raises: NotAnImage.
    """
    image = open_source(file).image
    try:
        image.draft("RGB", (2 * columns, 4 * lines))
        check_size(image.size, bounds, "The image has")
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith("I;16"):
            upright = upright.convert("I").point(lambda value: value * (1 / 257)).convert("L")
        upright = upright.convert("RGBA")
    except CourierError:
        raise
    except Exception as error:
        raise damaged(error) from error
    upright.thumbnail((columns, 2 * lines))
    paper = Image.new("RGBA", (upright.width, upright.height + upright.height % 2), (40, 40, 40, 255))
    paper.alpha_composite(upright)
    pixels = paper.convert("RGB").tobytes()
    colors = [(pixels[place], pixels[place + 1], pixels[place + 2]) for place in range(0, len(pixels), 3)]
    rows = [colors[start : start + paper.width] for start in range(0, len(colors), paper.width)]
    return [list(zip(upper, lower, strict=True)) for upper, lower in zip(rows[::2], rows[1::2], strict=True)]
