"""Image formats: which are accepted, and what their headers say before anything is decoded."""

from __future__ import annotations

import io
import math
import re
import warnings
from dataclasses import dataclass
from functools import cache
from typing import IO

from PIL import Image, ImageDraw, ImageOps, UnidentifiedImageError

from courier.errors import NotAPicture, Reason
from courier.text import one_of, printable

#: Our own limit is checked from the header, before anything is decoded; Pillow's would only warn.
Image.MAX_IMAGE_PIXELS = None

#: The formats that are read, as Pillow names them (a camera's MPO comes in as JPEG), and their endings.
FORMATS = {
    "JPEG": (".jpg", ".jpeg"),
    "PNG": (".png",),
    "GIF": (".gif",),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp",),
    "AVIF": (".avif",),
}
MOVING_FORMATS = ("GIF", "WEBP", "PNG")
#: A progressive JPEG may have some ten scans; thousands of them, which each decode the whole picture, are an attack.
MAX_SCANS = 100
_SCAN, _END = b"\xff\xda", b"\xff\xd9"
#: A marker of a JPEG that has a length or ends it: no stuffed byte, no restart, no filling (ITU-T T.81, B.1.1.2).
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]", re.DOTALL)
#: As far as a WebP's first pixels are looked for: color profiles come before them.
_WEBP_HEAD = 2**22
SAMPLE_NAME = "sample.png"
#: Red, green and blue, from 0 to 255.
Color = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What a picture may be at most, before and after."""

    megapixels: float
    frames: int


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a picture's first bytes say; sizes in pixels, as stored."""

    format: str
    width: int
    height: int
    is_moving: bool


def media_type(picture_format: str) -> str:
    """Return the media type of a format that Pillow names, such as image/png."""
    return f"image/{picture_format.lower()}"


def read_header(file: IO[bytes], bounds: Bounds) -> Header:
    """Return what the header of the picture in `file` says, without decoding it.

    Raises: NotAPicture if it is none that is worked on: another format, or too large.
    """
    image = open_picture(file, bounds)
    return Header(format=format_of(image), width=image.width, height=image.height, is_moving=is_moving(image))


@cache
def sample() -> bytes:
    """Return the sample picture: a colorful PNG of 640 x 480 pixels, drawn here, once."""
    across = Image.linear_gradient("L").rotate(90).resize((640, 480))
    down = Image.linear_gradient("L").resize((640, 480))
    picture = Image.merge("RGB", (across, down, ImageOps.invert(across)))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((220, 120, 420, 320), fill="gold", outline="black", width=4)
    draw.polygon([(320, 60), (560, 420), (80, 420)], outline="white", width=6)
    draw.text((24, 24), "Courier", fill="white", font_size=48)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def half_blocks(file: IO[bytes], bounds: Bounds, *, columns: int, lines: int) -> list[list[tuple[Color, Color]]]:
    """Return a picture for a terminal: lines of characters, each the colors of its upper and its lower half.

    Transparency is shown on a dark gray. Raises: NotAPicture.
    """
    image = open_picture(file, bounds)
    try:
        image.draft("RGB", (2 * columns, 4 * lines))
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith("I;16"):
            upright = upright.convert("I").point(lambda value: value * (1 / 257)).convert("L")
        upright = upright.convert("RGBA")
    except Exception as error:
        raise _damaged(error) from error
    upright.thumbnail((columns, 2 * lines))
    paper = Image.new("RGBA", (upright.width, upright.height + upright.height % 2), (40, 40, 40, 255))
    paper.alpha_composite(upright)
    pixels = paper.convert("RGB").tobytes()
    colors = [(pixels[place], pixels[place + 1], pixels[place + 2]) for place in range(0, len(pixels), 3)]
    rows = [colors[start : start + paper.width] for start in range(0, len(colors), paper.width)]
    return [list(zip(upper, lower, strict=True)) for upper, lower in zip(rows[::2], rows[1::2], strict=True)]


def open_picture(file: IO[bytes], bounds: Bounds) -> Image.Image:
    """Return a picture of which nothing but the header is decoded. Raises: NotAPicture."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(file, formats=tuple(FORMATS))
    except UnidentifiedImageError as error:
        raise _unknown(file) from error
    except Exception as error:
        raise _damaged(error) from error
    check_size(image.size, bounds, "The picture has")
    if image.format in {"JPEG", "MPO"}:
        _check_scans(file)
    return image


def _unknown(file: IO[bytes]) -> NotAPicture:
    file.seek(0)
    if not file.read(1):
        return NotAPicture("The file is empty.", hint="Upload the picture again.", reason=Reason.EMPTY)
    hint = f"The formats are {one_of(list(FORMATS))}."
    return NotAPicture("This is no picture that is read here.", hint=hint, reason=Reason.UNSUPPORTED_FORMAT)


def _damaged(error: Exception) -> NotAPicture:
    return NotAPicture(f"The picture is damaged: {printable(str(error), 120)}.", reason=Reason.CORRUPT)


def check_size(size: tuple[int, int], bounds: Bounds, words: str, frames: int = 1) -> None:
    """Make sure that a picture is not too large; `words` begin the sentence. Raises: NotAPicture."""
    megapixels = math.prod(size) * frames / 1e6
    if megapixels > bounds.megapixels:
        times = f" in each of {frames} frames" if frames > 1 else ""
        said = f"{size[0]} x {size[1]} pixels{times} ({megapixels:.1f} million)"
        hint = "To allow larger images, set COURIER_IMAGE_MAX_MEGAPIXELS on the worker."
        raise NotAPicture(
            f"{words} {said}; at most {bounds.megapixels:g} million are allowed.", hint=hint, reason=Reason.TOO_LARGE
        )


def _check_scans(file: IO[bytes]) -> None:
    """Count the scans of a JPEG, up to its end: what follows it (a film, another picture) is not looked at."""
    file.seek(0)
    content = file.read()
    file.seek(0)
    place, scans = 2, 0
    while scans <= MAX_SCANS and (found := _MARKER.search(content, place)) and found[0] != _END:
        scans += found[0] == _SCAN
        # A marker's own length leads over what may look like markers in it.
        place = found.end() + int.from_bytes(content[found.end() : found.end() + 2], "big")
    if scans > MAX_SCANS:
        said = f"The picture has more than {MAX_SCANS} scans."
        raise NotAPicture(said, hint="Save it anew.", reason=Reason.TOO_MANY_SCANS)


def is_lossless_webp(file: IO[bytes]) -> bool:
    """Whether a WebP was written without loss: its first chunk of pixels says so (RFC 9649, 2.5 and 2.7)."""
    file.seek(0)
    head = file.read(_WEBP_HEAD)
    file.seek(0)
    if head[:4] != b"RIFF" or head[8:12] != b"WEBP":
        return False
    place = 12
    while place + 8 <= len(head):
        kind, size = head[place : place + 4], int.from_bytes(head[place + 4 : place + 8], "little")
        if kind in {b"VP8 ", b"VP8L"}:
            return kind == b"VP8L"
        # A frame has chunks of its own, behind sixteen bytes about itself.
        place += 24 if kind == b"ANMF" else 8 + size + size % 2
    return False


def format_of(image: Image.Image) -> str:
    """Return the format that a picture came in, as it is named here."""
    return "JPEG" if image.format == "MPO" else image.format or ""


def is_moving(image: Image.Image) -> bool:
    """Whether a picture has frames that follow each other in time. Raises: NotAPicture if that cannot be told."""
    try:
        return format_of(image) in MOVING_FORMATS and bool(getattr(image, "is_animated", False))
    except Exception as error:
        raise _damaged(error) from error
