"""Open images and read what their headers say, before anything is decoded."""

from __future__ import annotations

import math
import re
import warnings
from dataclasses import dataclass
from typing import IO

from PIL import Image, UnidentifiedImageError

from courier.errors import NotAPicture, Reason
from courier.images.formats import FORMATS
from courier.text import one_of, printable

#: Our own limit is checked from the header, before anything is decoded; Pillow's would only warn.
Image.MAX_IMAGE_PIXELS = None

#: A progressive JPEG may have some ten scans; thousands of them, which each decode the whole picture, are an attack.
MAX_SCANS = 100
_SCAN, _END = b"\xff\xda", b"\xff\xd9"
#: A marker of a JPEG that has a length or ends it: no stuffed byte, no restart, no filling (ITU-T T.81, B.1.1.2).
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]", re.DOTALL)
#: As far as a WebP's first pixels are looked for: color profiles come before them.
_WEBP_HEAD = 2**22


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


def read_header(file: IO[bytes], bounds: Bounds) -> Header:
    """Return what the header of the picture in `file` says, without decoding it.

    Raises: NotAPicture if it is none that is worked on: another format, or too large.
    """
    image = open_image(file, bounds)
    return Header(format=format_of(image), width=image.width, height=image.height, is_moving=is_moving(image))


def open_image(file: IO[bytes], bounds: Bounds) -> Image.Image:
    """Return a picture of which nothing but the header is decoded. Raises: NotAPicture."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(file, formats=tuple(FORMATS))
    except UnidentifiedImageError as error:
        raise _unknown(file) from error
    except Exception as error:
        raise damaged(error) from error
    check_size(image.size, bounds, "The image has")
    if image.format in {"JPEG", "MPO"}:
        _check_scans(file)
    return image


def _unknown(file: IO[bytes]) -> NotAPicture:
    file.seek(0)
    if not file.read(1):
        return NotAPicture("The file is empty.", hint="Upload the image again.", reason=Reason.EMPTY)
    hint = f"The formats are {one_of(list(FORMATS))}."
    return NotAPicture("This is not an image that can be read here.", hint=hint, reason=Reason.UNSUPPORTED_FORMAT)


def damaged(error: Exception) -> NotAPicture:
    """Return the rejection of an image whose header cannot be read."""
    return NotAPicture(f"The image is damaged: {printable(str(error), 120)}.", reason=Reason.CORRUPT)


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
        said = f"The image has more than {MAX_SCANS} scans."
        raise NotAPicture(said, hint="Save it again.", reason=Reason.TOO_MANY_SCANS)


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
        return FORMATS[format_of(image)].animates and bool(getattr(image, "is_animated", False))
    except Exception as error:
        raise damaged(error) from error
