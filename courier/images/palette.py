"""Palettes of 256 colors, for GIF."""

from __future__ import annotations

from PIL import Image, ImageChops

from courier.images.notes import Note

#: The number of colors in a palette, and the index of the transparent one.
_COLORS, _CLEAR = 256, 255
#: Pixels with a lower opacity become transparent.
_HALF = 128


def paletted(image: Image.Image) -> tuple[Image.Image, bool]:
    """Reduce an image to 256 colors with optional transparency; return it, and whether all colors are exact."""
    if image.mode in {"1", "L"}:
        return image, True
    colors, visible = _visible(image)
    if visible is None and image.mode == "LA":
        return image.convert("L"), True
    count = _COLORS if visible is None else _COLORS - 1
    made = colors.quantize(count, Image.Quantize.MEDIANCUT)
    if visible is not None:
        made.paste(_CLEAR, mask=ImageChops.invert(visible))
        made.info["transparency"] = _CLEAR
    return made, colors.getcolors(count) is not None


def compacted(image: Image.Image) -> Image.Image:
    """Convert to one bit or a palette if that is lossless; otherwise return the image unchanged."""
    if image.mode == "L" and not any(image.histogram()[1:255]):
        return image.convert("1", dither=Image.Dither.NONE)
    if image.mode == "RGB" and image.getcolors(_COLORS) is not None:
        return image.quantize(_COLORS, Image.Quantize.MEDIANCUT)
    return image


def colors_of(image: Image.Image) -> int:
    """Return how many colors the palette of an image has that is not decoded yet; 0 without one."""
    stored = image.palette.palette if image.mode == "P" and image.palette else b""
    return len(stored) // 3


def missing(image: Image.Image, colors: int) -> int | None:
    """Return the largest number of a color that pixels have and a palette of so few lacks; None if there is none.

    GIFs may call transparent what has no color.
    """
    clear = image.info.get("transparency")
    lacking = (number for number, count in enumerate(image.histogram()) if count and number >= colors)
    return max((number for number in lacking if number != clear), default=None)


def lacks(number: int, colors: int) -> str:
    """Return what is wrong with an image that has pixels of a color that its palette lacks."""
    return f"it has pixels of color number {number}, and its palette ends at {colors - 1}"


def uncovers(before: Image.Image, after: Image.Image) -> bool:
    """Whether a frame is transparent where the previous frame was not."""
    clear = after.info.get("transparency")
    if after.mode != "P" or clear is None:
        return False
    shows = _where(before, before.info.get("transparency", -1) if before.mode == "P" else -1)
    return ImageChops.subtract(_where(after, clear), shows).getbbox() is not None


def with_clear(frame: Image.Image, note: Note) -> Image.Image:
    """Add a transparent color, even if unused: some programs need it to clear a frame."""
    if "transparency" in frame.info:
        return frame
    if frame.mode != "P":
        frame = frame.convert("L").convert("RGB").quantize(_COLORS, Image.Quantize.MEDIANCUT)
    unused = [index for index, count in enumerate(frame.histogram()) if not count]
    if not unused:
        note("one color of a frame gave way to transparency: GIF has 256 with it")
        frame, unused = frame.convert("RGB").quantize(_COLORS - 1, Image.Quantize.MEDIANCUT), [_CLEAR]
    frame.info["transparency"] = unused[-1]
    return frame


def _where(image: Image.Image, index: int) -> Image.Image:
    """Return a mask of the pixels with one palette index."""
    if index < 0:
        return Image.new("L", image.size)
    indices = Image.new("L", image.size)
    indices.frombytes(image.tobytes())
    return indices.point([255 * (level == index) for level in range(_COLORS)])


def _visible(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Return an image's colors and a mask of visible pixels; None: all are visible.

    Transparent pixels get the color of a visible one, so that they take no palette entry.
    """
    colors = image.convert("RGB")
    if image.mode not in {"LA", "RGBA"}:
        return colors, None
    visible = image.getchannel("A").point([255 * (level >= _HALF) for level in range(256)])
    if visible.getextrema()[0]:
        return colors, None
    place = visible.tobytes().find(b"\xff")
    filler = colors.getpixel((place % image.width, place // image.width)) if place >= 0 else None
    colors.paste(filler or (0, 0, 0), mask=ImageChops.invert(visible))
    return colors, visible
