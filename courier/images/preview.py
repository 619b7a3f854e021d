"""The sample image, and previews for terminals."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import repeat
from typing import IO

from PIL import Image, ImageDraw, ImageOps

from courier.errors import CourierError
from courier.images.probe import Bounds, check_size, damaged, open_source

SAMPLE_NAME = "sample.png"
#: Red, green and blue, from 0 to 255.
Color = tuple[int, int, int]
#: A width and a height, in pixels.
Size = tuple[int, int]
#: The space between two images, in cells.
GAP = 2


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


@dataclass(frozen=True, kw_only=True)
class Strip:
    """Images side by side, on whole cells of a terminal; what they do not cover is transparent."""

    image: Image.Image
    #: The width of each image and the height of all, in cells.
    widths: Sequence[int]
    lines: int

    @property
    def columns(self) -> int:
        """The width of all, in cells."""
        return sum(self.widths) + GAP * (len(self.widths) - 1)


def strip(
    files: Sequence[IO[bytes]],
    bounds: Bounds,
    *,
    cell: Size,
    columns: int,
    lines: int,
    least: Sequence[int] = (),
) -> Strip:
    """Return images reduced to `columns` x `lines` cells of `cell` pixels each, side by side.

    `least`: the width of each in cells, if it is not wider. Transparency is shown on a dark gray. Raises: NotAnImage.
    """
    images = [_reduced(file, bounds, (columns * cell[0], lines * cell[1])) for file in files]
    widths = [max(-(-image.width // cell[0]), floor) for image, floor in zip(images, least or repeat(1))]  # noqa: B905
    found = Strip(image=images[0], widths=widths, lines=-(-max(image.height for image in images) // cell[1]))
    paper = Image.new("RGBA", (found.columns * cell[0], found.lines * cell[1]))
    left = 0
    for image, width in zip(images, widths, strict=True):
        paper.paste(image, (left * cell[0], 0))
        left += width + GAP
    return replace(found, image=paper)


def blocks(found: Strip) -> list[list[tuple[Color | None, Color | None]]]:
    """Return a strip of cells of 1 x 2 pixels as rows of characters, each with the colors of its halves."""
    width, pixels = found.image.width, found.image.tobytes()
    colors = [
        (pixels[place], pixels[place + 1], pixels[place + 2]) if pixels[place + 3] else None
        for place in range(0, len(pixels), 4)
    ]
    rows = [colors[start : start + width] for start in range(0, len(colors), width)]
    return [list(zip(upper, lower, strict=True)) for upper, lower in zip(rows[::2], rows[1::2], strict=True)]


def _reduced(file: IO[bytes], bounds: Bounds, size: Size) -> Image.Image:
    """Return an image upright and reduced to fit `size`, in RGBA without transparency. Raises: NotAnImage."""
    image = open_source(file).image
    try:
        image.draft("RGB", (2 * size[0], 2 * size[1]))
        check_size(image.size, bounds, "The image has")
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith("I;16"):
            upright = upright.convert("I").point(lambda value: value * (1 / 257)).convert("L")
        upright = upright.convert("RGBA")
    except CourierError:
        raise
    except Exception as error:
        raise damaged(error) from error
    upright.thumbnail(size)
    paper = Image.new("RGBA", upright.size, (40, 40, 40, 255))
    paper.alpha_composite(upright)
    return paper
