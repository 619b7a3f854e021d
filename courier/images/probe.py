"""Open images and read their headers, before decoding."""

from __future__ import annotations

import importlib
import io
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from PIL import Image, PngImagePlugin, UnidentifiedImageError

from courier.errors import NotAnImage, Reason
from courier.images import avif, bmp, descriptions, gif, jpeg, palette, png, profiles, tiff
from courier.images.formats import FORMATS, HEIF, HEIF_PACKAGE, READS_HEIF, Format
from courier.images.identify import HEAD_BYTES, companions, heif_kind, other_kind, our_format
from courier.images.jpeg import Jpeg
from courier.images.png import Png
from courier.images.profiles import Description
from courier.text import one_of, printable

#: The limit is checked by the header before decoding; Pillow would only warn.
Image.MAX_IMAGE_PIXELS = None
PngImagePlugin.MAX_TEXT_CHUNK = png.MAX_UNPACKED
if READS_HEIF:
    # Its threads would take memory, which is limited in the sandbox.
    importlib.import_module(HEIF_PACKAGE).register_heif_opener(
        decode_threads=1, thumbnails=False, depth_images=False, aux_images=False
    )
#: A progressive JPEG has about ten scans. Each decodes the whole image, so that thousands of them are an attack.
MAX_SCANS = 100
#: The number of bytes in which a WebP's first pixels are searched, after the color profile.
_WEBP_HEAD = 2**22
#: The type of an AVIF item that combines an image and its gain map.
_TONE_MAP = b"tmap"
#: The number of bytes read after a JPEG's image: the headers of a second image.
_TAIL = 2**16
#: Properties that Pillow does not read when it opens a file, by format.
_CHECKS: dict[str, Callable[[Image.Image, IO[bytes]], None]] = {
    "TIFF": tiff.check,
    "BMP": bmp.prepare,
    "WEBP": lambda image, _file: _with_alpha(image),
}


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """The limits of an image, before and after processing."""

    megapixels: float
    frames: int


@dataclass(frozen=True, kw_only=True)
class Header:
    """An image's header; sizes in pixels, as stored."""

    format: str
    width: int
    height: int
    is_moving: bool


@dataclass(frozen=True, kw_only=True)
class Source:
    """An opened image, not decoded, with its file's properties."""

    image: Image.Image
    format: Format
    png: Png | None = None
    jpeg: Jpeg | None = None
    #: A GIF's file.
    gif: bytes = b""
    #: The bits per channel.
    bits: int = 8
    #: The visible area before rotation: left, top, right, bottom; None: the whole image.
    aperture: tuple[int, int, int, int] | None = None
    #: How many colors its palette has by which pixels are numbers; 0 if that is known to be enough.
    colors: int = 0
    #: Notes about the file.
    notes: tuple[str, ...] = ()

    @property
    def is_moving(self) -> bool:
        """Whether it is an animation. Raises: NotAnImage if that cannot be determined."""
        return is_moving(self.image)


def read_header(file: IO[bytes]) -> Header:
    """Return the header of the image in `file`, without decoding it. Raises: NotAnImage if it is not supported."""
    source = open_source(file)
    width, height = source.image.size
    return Header(format=source.format.name, width=width, height=height, is_moving=source.is_moving)


def open_source(file: IO[bytes]) -> Source:
    """Open an image without decoding it. Raises: NotAnImage."""
    file.seek(0)
    head = file.read(len(png.SIGNATURE))
    file.seek(0)
    if head == png.SIGNATURE:
        return _open_png(file.read())
    if head.startswith(b"\xff\xd8"):
        return _open_jpeg(file.read())
    image = _opened(file)
    if kind := tiff.raw_kind(image):
        said = f"This is a camera's raw image ({kind}), of which only a preview could be read."
        raise NotAnImage(said, hint="Export it as JPEG or TIFF.", reason=Reason.UNSUPPORTED_FORMAT)
    if image.format in _CHECKS:
        _CHECKS[image.format](image, file)
    if image.format in {"AVIF", HEIF.name}:
        return _open_avif(file, image)
    # A BMP's 16 bits are those of a whole pixel.
    bits = 16 if image.format == "TIFF" and ";16" in _rawmode(image) else 8
    if image.format == "GIF":
        return _open_gif(file, image)
    notes = _describe(image, descriptions.of_tiff(image) or descriptions.of_bmp(image, file), is_stronger=False)
    colors = bmp.colors_of(file) if image.format == "BMP" else 0
    return Source(image=image, format=FORMATS[format_of(image)], bits=bits, colors=colors, notes=notes)


def _open_gif(file: IO[bytes], image: Image.Image) -> Source:
    place = file.tell()
    file.seek(0)
    content = file.read()
    file.seek(place)
    if image.mode == "L":
        image.palette = None  # the global palette, if the first frame has its own grays
    notes = () if gif.has_end(content) else ("its end marker is missing: frames may be missing too",)
    return Source(image=image, format=FORMATS["GIF"], gif=content, colors=palette.colors_of(image), notes=notes)


def _open_png(content: bytes) -> Source:
    found = png.read(content)
    try:
        image = _opened(io.BytesIO(found.content))
    except NotAnImage:
        image = _opened(io.BytesIO(found.bare()))
    if image.mode == "L" and "transparency" in image.info:
        # Pillow scales samples of 2 and 4 bits to 8, but not the transparent color.
        image.info["transparency"] *= 255 // (2**found.depth - 1)
    notes = _describe(image, found.description, is_stronger=True)
    if found.dropped:
        notes += (f"damaged or oversized metadata removed ({', '.join(found.dropped)})",)
    if len(found.images) > 1 and not is_moving(image):
        notes += ("its animation is damaged: only its still image was kept",)
    return Source(image=image, format=FORMATS["PNG"], png=found, bits=found.depth, colors=found.entries, notes=notes)


def _open_avif(file: IO[bytes], image: Image.Image) -> Source:
    file.seek(0)
    content = file.read()
    found = avif.read(content)
    notes = _describe(image, found.description, is_stronger=False) + _lost_companions(content)
    if _TONE_MAP in found.items and not any("gain map" in note for note in notes):
        notes += ("gain map (HDR) removed",)
    image.info["loop"] = found.plays
    # pillow-heif has cropped and rotated a HEIF.
    aperture = found.aperture if image.format == "AVIF" else None
    return Source(image=image, format=FORMATS[format_of(image)], bits=found.bits, aperture=aperture, notes=notes)


def _lost_companions(content: bytes) -> tuple[str, ...]:
    found = companions(content)
    return (f"{' and '.join(found)} removed",) if found else ()


def _describe(image: Image.Image, description: Description | None, *, is_stronger: bool) -> tuple[str, ...]:
    """Attach the profile of a color description if it takes precedence; note what is lost."""
    if description is None or ("icc_profile" in image.info and not is_stronger):
        return ()
    try:
        profile = description.profile(gray=image.mode in {"1", "L", "LA", "I;16"})
    except (ArithmeticError, ValueError, KeyError):
        return (f"its colors were taken for sRGB's: what it says of them is not known here ({description})",)
    image.info["icc_profile"] = profile
    if profiles.is_srgb(profile):
        del image.info["icc_profile"]
    return (
        ("its high dynamic range was cut off: what is brighter than white became white",) if description.is_hdr else ()
    )


def _rawmode(image: Image.Image) -> str:
    tile = getattr(image, "tile", None)
    found = tile[0][3] if tile else ""
    return found[0] if isinstance(found, tuple) and found and isinstance(found[0], str) else str(found)


def _open_jpeg(content: bytes) -> Source:
    found = jpeg.read(content, MAX_SCANS)
    if found.scans > MAX_SCANS:
        said = f"The image has more than {MAX_SCANS} scans."
        raise NotAnImage(said, hint="Save it again.", reason=Reason.TOO_MANY_SCANS)
    if found.frame and found.oddity:
        said = f"This is a JPEG {found.oddity}, which cannot be read here."
        raise NotAnImage(said, hint="Save it as a common JPEG, of 8 bits.", reason=Reason.UNSUPPORTED_FORMAT)
    file = jpeg.StagedFile(jpeg.padded(content, found) if found.is_single else content)
    image = _opened(file)
    notes = _describe(image, profiles.of_exif(image), is_stronger=False)
    notes += _lost_companions(content[: found.start] + content[found.end : found.end + _TAIL])
    return Source(image=image, format=FORMATS["JPEG"], jpeg=found, notes=notes)


def _opened(file: IO[bytes]) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Image.open(file, formats=tuple(FORMATS))
    except UnidentifiedImageError as error:
        raise _unknown(file) from error
    except Exception as error:
        raise bmp.why_unread(file) or damaged(error) from error


def _unknown(file: IO[bytes]) -> NotAnImage:
    """Return the rejection of a file that Pillow does not support, with its kind."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if not head:
        return NotAnImage("The file is empty.", reason=Reason.EMPTY)
    hint = f"The formats are {one_of(list(FORMATS))}."
    if HEIF.name in FORMATS and (kind := heif_kind(head)):
        said = f"This is {kind} that cannot be read: it is damaged, cut short, or not in HEVC."
        return NotAnImage(said, hint="Export it as JPEG.", reason=Reason.CORRUPT)
    if heif_kind(head):
        hint += " Where the package pillow-heif is installed, on the client and the worker, HEIC is read as well."
    if kind := other_kind(head):
        said = f"This is {kind}, not an image that can be read here."
        return NotAnImage(said, hint=hint, reason=Reason.UNSUPPORTED_FORMAT)
    if reason := tiff.why_unread(file) or bmp.why_unread(file):
        return reason
    if name := our_format(head):
        said = f"This {name} cannot be read: it is damaged, cut short, or of a kind that is not known here."
        return NotAnImage(said, hint="Save it again.", reason=Reason.CORRUPT)
    return NotAnImage("This is not an image that can be read here.", hint=hint, reason=Reason.UNSUPPORTED_FORMAT)


def _with_alpha(image: Image.Image) -> None:
    """Decode an animated WebP with alpha: cleared frames are transparent, even if the header has no alpha flag."""
    if getattr(image, "is_animated", False):
        image._mode = image.rawmode = "RGBA"  # type: ignore[attr-defined]  # noqa: SLF001  Pillow's names


def damaged(error: Exception) -> NotAnImage:
    """Return the rejection of an image with an unreadable or unsupported header."""
    said = printable(str(error), 120)
    if said.lower().startswith("unsupported") or isinstance(error, NotImplementedError):
        return NotAnImage(
            f"This kind of image cannot be read here: {said}.",
            hint="Save it as another kind.",
            reason=Reason.UNSUPPORTED_FORMAT,
        )
    return NotAnImage(f"The image is damaged: {printable(str(error), 120)}.", reason=Reason.CORRUPT)


def check_size(size: tuple[int, int], bounds: Bounds, words: str, frames: int = 1, hint: str = "") -> None:
    """Check that an image is not too large; `words` begin the message. Raises: NotAnImage."""
    megapixels = math.prod(size) * frames / 1e6
    if megapixels > bounds.megapixels:
        times = f" in each of {frames} frames" if frames > 1 else ""
        said = f"{size[0]} x {size[1]} pixels{times} ({megapixels:.1f} million)"
        hint = f"To allow larger images, set COURIER_IMAGE_MAX_MEGAPIXELS on the worker{hint}."
        raise NotAnImage(
            f"{words} {said}; at most {bounds.megapixels:g} million are allowed.", hint=hint, reason=Reason.TOO_LARGE
        )


def is_lossless_webp(file: IO[bytes]) -> bool:
    """Whether a WebP is lossless, by its first chunk of pixels (RFC 9649, 2.5 and 2.7)."""
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
        # A frame has a header of 16 bytes, followed by its chunks.
        place += 24 if kind == b"ANMF" else 8 + size + size % 2
    return False


def format_of(image: Image.Image) -> str:
    """Return an image's format by its name in this package."""
    return "JPEG" if image.format == "MPO" else image.format or ""


def is_moving(image: Image.Image) -> bool:
    """Whether an image is an animation. Raises: NotAnImage if that cannot be determined."""
    try:
        return FORMATS[format_of(image)].animates and bool(getattr(image, "is_animated", False))
    except Exception as error:
        raise damaged(error) from error
