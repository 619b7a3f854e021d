"""Watermarks: a line of text in a corner, readable on any image."""

from __future__ import annotations

from typing import Any

from PIL import Image, ImageChops, ImageDraw, ImageFont

from courier.errors import NotAPicture, Reason
from courier.images.arguments import Values
from courier.images.color import colored
from courier.images.geometry import place

#: The text's height, of the image's shorter side; how far it is from the edge, of its own height.
_SHARE = 0.05


def watermark(image: Image.Image, values: Values) -> Image.Image:
    """Return an image with a line of text on it. Raises: NotAPicture if there is no font for a letter."""
    words, height = values["text"], max(10, round(min(image.size) * _SHARE))
    margin = height // 2
    area = max(1, image.width - 2 * margin), max(1, image.height - 2 * margin)
    box = ImageFont.load_default(size=height).getbbox(words)
    height = max(1, int(height * min(1.0, area[0] / max(1, box[2] - box[0]))))
    font = ImageFont.load_default(size=height)
    _check_letters(words, font)
    layer = Image.new("L", image.size)
    draw = ImageDraw.Draw(layer)
    left, top, right, bottom = draw.textbbox((0, 0), words, font=font)
    x, y = place(area, (int(right - left), int(bottom - top)), values["gravity"])
    draw.text((x + margin - left, y + margin - top), words, font=font, fill=200)
    shadow = ImageChops.offset(layer, max(1, height // 16))
    marked = colored(image).copy()
    marked.paste(Image.new(marked.mode, image.size, "black"), mask=shadow.point(lambda level: level * 3 // 4))
    marked.paste(Image.new(marked.mode, image.size, "white"), mask=layer)
    return marked


def _check_letters(words: str, font: Any) -> None:  # noqa: ANN401  one of Pillow's fonts
    """Refuse what the font has no letters for, and would draw as boxes. Raises: NotAPicture."""
    box = bytes(font.getmask("\uffff"))
    for letter in words:
        if bytes(font.getmask(letter)) == box:
            said = f"The watermark's letter {letter!r} cannot be drawn: there is no font for it."
            raise NotAPicture(said, reason=Reason.IMPOSSIBLE)
