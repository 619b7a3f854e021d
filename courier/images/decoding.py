"""Decode an image completely, or report how much of it can be read.

Decoders accept truncated PNGs and JPEGs, and leave the missing part black or gray. Here these are damaged images.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from functools import reduce

from PIL import Image, ImageChops

from courier.errors import NotAnImage, Reason
from courier.images import color, jpeg, palette, tiff, tiff_data
from courier.images.notes import Note
from courier.images.png import PixelData, Png
from courier.images.probe import Source
from courier.text import printable

#: The maximum bits per channel.
_DEEP = 16


def decode(source: Source, note: Note) -> Image.Image:
    """Decode a source's image, or its first. Raises: NotAnImage if it is incomplete."""
    if source.png:
        _decode_png(source, source.png)
        return _deep_transparency(source.image, source.png)
    if source.jpeg:
        _decode_jpeg(source, note)
    else:
        _load(source.image)
        _check_colors(source)
    if source.image.format == "TIFF":
        tiff.corrected(source.image)
    return source.image.crop(source.aperture) if source.aperture else source.image


def damage(image: Image.Image, what: str) -> NotAnImage:
    """Return the rejection of an image that cannot be decoded completely."""
    name = "JPEG" if image.format == "MPO" else image.format
    header = f"its header says {name}, {image.width} x {image.height} pixels"
    return NotAnImage(f"The image is damaged or cut short: {what} ({header}).", reason=Reason.CORRUPT)


def _check_colors(source: Source) -> None:
    most = palette.missing(source.image, source.colors) if source.colors else None
    if most is not None:
        raise damage(source.image, palette.lacks(most, source.colors))


def _load(image: Image.Image, readable: Callable[[], str] = str) -> None:
    try:
        tiff_data.load(image) if image.format == "TIFF" else image.load()
    except MemoryError:
        raise
    except Exception as error:
        raise damage(image, readable() or printable(str(error), 120)) from error


# PNG


def _decode_png(source: Source, found: Png) -> None:
    image, pixels = source.image, found.images[0]
    is_simple = pixels.is_sound and not found.is_interlaced and not source.is_moving
    mark = random.Random(image.width).randbytes(8 * image.width)  # noqa: S311  a row that no image has
    if is_simple:
        image.im = _marked(image, mark).im
    else:
        _check_rows(image, found, pixels)
    _load(image, lambda: _rows(found, pixels))
    if is_simple and _last_row(image) == _last_row(_marked(image, mark)):
        _check_rows(image, found, pixels)
    _check_colors(source)


def _deep_transparency(image: Image.Image, found: Png) -> Image.Image:
    """Convert the transparent color of an image with 16 bits per channel to alpha, which Pillow would lose."""
    key = image.info.get("transparency")
    if key is None or found.depth != _DEEP or image.mode not in {"I;16", "RGB"}:
        return image
    if image.mode == "I;16":
        alpha = image.convert("I").point([255 * (level != key) for level in range(2**_DEEP)], "L")
        return Image.merge("LA", (color.shallow(image, lambda _note: None), alpha))
    low = Image.open(io.BytesIO(found.content), formats=("PNG",))
    # With the byte order reversed, Pillow returns the low bytes.
    low.tile = [tile._replace(args="RGB;16L") for tile in low.tile]
    levels = [level >> 8 for level in key] + [level & 255 for level in key]
    differ = [
        band.point([255 * (level != wanted) for level in range(256)])
        for band, wanted in zip((*image.split(), *low.split()), levels, strict=True)
    ]
    image.putalpha(reduce(ImageChops.lighter, differ))
    del image.info["transparency"]
    return image


def _marked(image: Image.Image, mark: bytes) -> Image.Image:
    """Return an image of the same size with a marked last row, which remains if the row is not decoded."""
    marked = Image.new(image.mode, image.size)
    row = Image.new(image.mode, (image.width, 1))
    row.frombytes(mark[: len(row.tobytes())])
    marked.paste(row, (0, image.height - 1))
    return marked


def _last_row(image: Image.Image) -> bytes:
    return image.crop((0, image.height - 1, image.width, image.height)).tobytes()


def _check_rows(image: Image.Image, found: Png, pixels: PixelData) -> None:
    if said := _rows(found, pixels):
        raise damage(image, said)


def _rows(found: Png, pixels: PixelData) -> str:
    """Describe how many rows of a PNG are readable; empty: all."""
    readable, expected = found.rows_of(pixels)
    if readable == expected:
        return "" if pixels.is_sound else "the check sum of its pixels is wrong or missing"
    return f"only {readable:,} of {expected:,} rows can be read"


# JPEG


def _decode_jpeg(source: Source, note: Note) -> None:
    image, found = source.image, source.jpeg
    if found is None or not found.is_single or not isinstance(image.fp, jpeg.StagedFile):  # type: ignore[attr-defined]
        if found and found.is_common and not found.is_complete:
            raise damage(image, "scans are missing that would bring its details")
        _load(image)
        return
    watch, file = jpeg.Watch(), image.fp  # type: ignore[attr-defined]
    content = file.getvalue()
    file.stops = watch.stops(found.end)
    _load(image)
    if watch.needed_end:
        raise damage(image, f"about {_jpeg_rows(content[: found.end], image)} of {image.height:,} rows can be read")
    if not found.has_end:
        note("its end marker is missing, but all its rows are there")
    if not watch.needed_last_bytes or not found.is_in_order:
        note("parts of it may be damaged: its data do not fit its size")


def _jpeg_rows(content: bytes, image: Image.Image) -> int:
    """Return the number of rows that can be decoded from truncated data."""
    try:
        again = Image.open(jpeg.StagedFile(content), formats=("JPEG",))
    except OSError:
        return 0  # it ends in its header
    again.draft(image.mode, image.size)
    again.im = Image.new(again.mode, again.size).im
    try:
        again.load()
    except OSError:
        box = again._new(again.im).getbbox()  # noqa: SLF001  `getbbox` of `again` itself would decode it again
    return box[3] if box else 0
