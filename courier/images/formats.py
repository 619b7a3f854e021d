"""The image formats: which are accepted, and what each supports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Format:
    """The properties of a format."""

    #: As Pillow names it (a camera's MPO comes in as JPEG).
    name: str
    #: The endings of its files; that of a result comes first.
    suffixes: tuple[str, ...]
    #: How Pillow is to save it; None if it is only read.
    save_options: Mapping[str, Any] | None = None
    #: Pillow's modes that it holds.
    modes: tuple[str, ...] = ("RGB", "RGBA")
    #: How `convert` names it, where that is not its name in small letters alone.
    aliases: tuple[str, ...] = ()
    #: Whether its frames follow each other in time.
    animates: bool = False
    #: What a still image in it becomes; empty if it stays in it.
    still: str = ""
    #: Whether its results have a quality.
    has_quality: bool = False
    #: Whether it holds a resolution.
    has_resolution: bool = False
    #: How much EXIF data it holds, in bytes; with none, it holds no color profile either.
    max_exif_bytes: int = 2**24
    #: Whether its EXIF data may tell how an image was taken; a compressed TIFF cannot be written with that.
    has_exposure: bool = True

    @property
    def media_type(self) -> str:
        """Its media type, such as image/png."""
        return f"image/{self.name.lower()}"


_EVERY_MODE = ("1", "L", "LA", "RGB", "RGBA", "I;16")
_ALL = (
    Format(
        name="JPEG", suffixes=(".jpg", ".jpeg", ".jfif", ".jpe", ".jif", ".pjpeg", ".pjp"), aliases=("jpg",),
        modes=("L", "RGB"), save_options={"quality": 90}, has_quality=True, has_resolution=True, max_exif_bytes=65_000,
    ),
    Format(
        name="PNG", suffixes=(".png", ".apng"), modes=_EVERY_MODE, save_options={"compress_level": 1},
        animates=True, has_resolution=True,
    ),
    Format(
        name="GIF", suffixes=(".gif",), modes=("1", "L", "RGB", "RGBA"),
        save_options={"interlace": False, "optimize": True},
        animates=True, still="PNG", max_exif_bytes=0,
    ),
    Format(
        name="WEBP", suffixes=(".webp",), save_options={"quality": 90, "method": 2}, animates=True, has_quality=True
    ),
    Format(
        name="TIFF", suffixes=(".tif", ".tiff"), modes=(*_EVERY_MODE, "I", "F"),
        save_options={"compression": "tiff_lzw"}, has_resolution=True, has_exposure=False,
    ),
    Format(name="BMP", suffixes=(".bmp", ".dib"), still="PNG"),
    Format(name="AVIF", suffixes=(".avif", ".avifs"), save_options={"quality": 80, "speed": 9}, has_quality=True),
)  # fmt: skip
#: Read where the package of `HEIF_PACKAGE` is installed, an extra.
HEIF = Format(name="HEIF", suffixes=(".heic", ".heif", ".hif"), still="JPEG")
HEIF_PACKAGE = "pillow_heif"
READS_HEIF = find_spec(HEIF_PACKAGE) is not None
FORMATS: dict[str, Format] = {known.name: known for known in (*_ALL, *[HEIF] * READS_HEIF)}
#: Those that are written, and the same by each name that `convert` knows.
WRITTEN = tuple(known for known in _ALL if known.save_options is not None)
TARGETS: dict[str, Format] = {name: known for known in WRITTEN for name in (known.name.lower(), *known.aliases)}


def named_by(suffix: str) -> Format | None:
    """Return the format with this file name suffix; None if it is unknown."""
    return next((known for known in FORMATS.values() if suffix.lower() in known.suffixes), None)
