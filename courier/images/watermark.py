"""Watermarks: a line of text in a corner, readable on any image."""

from __future__ import annotations

import io
import re
from collections.abc import Set as AbstractSet
from functools import lru_cache
from importlib.resources import files
from typing import Any

from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFont

from courier.errors import Reason, Rejected
from courier.images.arguments import GRAVITIES, Values
from courier.images.color import colored
from courier.images.geometry import place

#: The text's height as a fraction of the image's shorter side.
SIZES = {"small": 0.03, "medium": 0.05, "large": 0.1}
#: The colors that have a name here; another is written as `#rrggbb`.
COLORS = ("white", "black", "red", "green", "blue", "yellow")
#: The mean of red, green and blue, of 255, from which a color has a dark shadow.
_LIGHT = 64
#: The opacity of the text and of its shadow, in percent.
OPACITY, _SHADOW = 78, 75
#: The package of the font, with Latin, Greek and Cyrillic; without it, Pillow's font has ASCII only.
_PACKAGE = "fontpkg_noto_sans"
#: The file and the weight of each style.
FONTS = {
    "regular": ("NotoSans[wdth,wght].ttf", 400),
    "bold": ("NotoSans[wdth,wght].ttf", 700),
    "italic": ("NotoSans-Italic[wdth,wght].ttf", 400),
}
_MAX_LETTERS = 200
_CHECKED_HEIGHT = 20


def read(text: str) -> Values:
    """Parse a line of text and, in any order, a gravity, a font, a size, a color and an opacity.

    Raises: ValueError; Rejected for a letter that the font lacks.
    """
    text, values = split_options(text, {"gravity", "font", "size", "color", "opacity"})
    if not text.strip() or len(text) > _MAX_LETTERS:
        raise ValueError
    values = {"text": text, "gravity": "southeast", "font": "regular", "opacity": OPACITY, **values}
    _check_letters(text, values["font"])
    return values


def split_options(text: str, known: AbstractSet[str]) -> tuple[str, dict[str, Any]]:
    """Return a text without the options at its end, and those by name, each once."""
    values: dict[str, Any] = {}
    while (found := _option(text.rpartition(":")[2])) and ":" in text and found[0] in known and found[0] not in values:
        values |= [found]
        text = text.rpartition(":")[0]
    return text, values


def _option(word: str) -> tuple[str, Any] | None:
    """Parse a trailing option; None if the word belongs to the text."""
    if word in GRAVITIES:
        return "gravity", word
    if word in FONTS:
        return "font", word
    if word in SIZES:
        return "size", word
    if word in COLORS or re.fullmatch("#[0-9a-fA-F]{6}", word):
        return "color", word.lower()
    percent = re.fullmatch("([1-9][0-9]?|100)%", word)
    return ("opacity", int(percent[1])) if percent else None


@lru_cache(maxsize=64)
def _check_letters(words: str, name: str) -> None:
    """Check that the font has all characters, which it would draw as boxes. Raises: Rejected."""
    font = _font(name, _CHECKED_HEIGHT)
    box = bytes(font.getmask("\uffff"))
    for letter in words:
        if bytes(font.getmask(letter)) == box:
            said = f"The watermark's letter {letter!r} cannot be drawn: the font does not have it."
            raise Rejected(said, hint="Latin, Greek and Cyrillic letters can be drawn.", reason=Reason.IMPOSSIBLE)


def _font(name: str, height: int) -> Any:  # noqa: ANN401  one of Pillow's fonts
    file, weight = FONTS[name]
    try:
        content = (files(_PACKAGE) / "files" / file).read_bytes()
    except ModuleNotFoundError:
        return ImageFont.load_default(size=height)
    font = ImageFont.truetype(io.BytesIO(content), height)
    axes: list[float] = [
        weight if axis["name"] == b"Weight" else axis["default"] or 0 for axis in font.get_variation_axes()
    ]
    font.set_variation_by_axes(axes)
    return font


def watermark(image: Image.Image, values: Values) -> Image.Image:
    """Draw a line of text."""
    words, share, color = values["text"], SIZES[values.get("size", "medium")], values.get("color", "white")
    height = max(10, round(min(image.size) * share))
    margin = min(height, *image.size) // 2
    area = max(1, image.width - 2 * margin), max(1, image.height - 2 * margin)
    box = _font(values["font"], height).getbbox(words)
    height = max(1, int(height * min(1.0, area[0] / max(1, box[2] - box[0]))))
    text, shadow = _drawn(words, _font(values["font"], height), max(1, height // 16), values["opacity"])
    marked = colored(image).copy()
    left, top = place(area, text.size, values["gravity"])
    is_light = sum(ImageColor.getrgb(color)[:3]) >= 3 * _LIGHT
    _lay(marked, shadow, "black" if is_light else "white", (left + margin, top + margin))
    _lay(marked, text, color, (left + margin, top + margin))
    return marked


def _drawn(words: str, font: Any, step: int, opacity: int) -> tuple[Image.Image, Image.Image]:  # noqa: ANN401  the same
    """Return the masks of a text and of its shadow."""
    left, top, right, bottom = font.getbbox(words)
    text = Image.new("L", (int(right - left) + step, int(bottom - top) + step))
    ImageDraw.Draw(text).text((-left, -top), words, font=font, fill=round(2.55 * opacity))
    shadow = ImageChops.offset(text, step)
    return text, shadow.point([level * _SHADOW // 100 for level in range(256)])


def _lay(image: Image.Image, mask: Image.Image, color: str, place: tuple[int, int]) -> None:
    """Blend a color into an area, including transparent pixels."""
    if image.mode != "RGBA":
        image.paste(color, (*place, place[0] + mask.width, place[1] + mask.height), mask)
        return
    layer = Image.new("RGBA", mask.size, color)
    layer.putalpha(mask)
    seen = layer.crop((0, 0, min(layer.width, image.width - place[0]), min(layer.height, image.height - place[1])))
    image.alpha_composite(seen, place)
