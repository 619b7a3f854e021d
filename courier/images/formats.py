"""The supported image formats and their properties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Format:
    """The properties of a format."""

    #: Pillow's name (a camera's MPO is a JPEG).
    name: str
    #: File name suffixes; the first is that of results.
    suffixes: tuple[str, ...]
    #: Pillow's save options; None: read only.
    save_options: Mapping[str, Any] | None = None
    #: The Pillow modes that it supports.
    modes: tuple[str, ...] = ("RGB", "RGBA")
    #: Names for `convert`, if there are others than its name in lower case.
    aliases: tuple[str, ...] = ()
    #: Whether its frames are an animation.
    animates: bool = False
    #: The format of a still image's result; empty: the same.
    still: str = ""
    #: Whether it has a quality setting.
    has_quality: bool = False
    #: The save option for how hard to try for a smaller file without loss, from 1 to 9; empty: there is none.
    effort_option: str = ""
    #: Whether it stores a resolution.
    has_resolution: bool = False
    #: The maximum size of EXIF data, in bytes; 0: it stores neither EXIF data nor a color profile.
    max_exif_bytes: int = 2**24
    #: Whether its EXIF data may have camera settings, which Pillow cannot write to a compressed TIFF.
    has_exposure: bool = True

    @property
    def media_type(self) -> str:
        """The media type, such as image/png."""
        return f"image/{self.name.lower()}"


_EVERY_MODE = ("1", "L", "LA", "RGB", "RGBA", "I;16")
_ALL = (
    Format(
        name="JPEG", suffixes=(".jpg", ".jpeg", ".jfif", ".jpe", ".jif", ".pjpeg", ".pjp"), aliases=("jpg",),
        modes=("L", "RGB"), save_options={"quality": 90}, has_quality=True, has_resolution=True, max_exif_bytes=65_000,
    ),
    Format(
        name="PNG", suffixes=(".png", ".apng"), modes=_EVERY_MODE, save_options={"compress_level": 1},
        animates=True, effort_option="compress_level", has_resolution=True,
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
    Format(
        name="AVIF", suffixes=(".avif", ".avifs"), save_options={"quality": 80, "speed": 9}, animates=True,
        has_quality=True,
    ),
)  # fmt: skip
#: Read if the optional package `HEIF_PACKAGE` is installed.
HEIF = Format(name="HEIF", suffixes=(".heic", ".heif", ".hif"), still="JPEG")
HEIF_PACKAGE = "pillow_heif"
READS_HEIF = find_spec(HEIF_PACKAGE) is not None
FORMATS: dict[str, Format] = {known.name: known for known in (*_ALL, *[HEIF] * READS_HEIF)}
#: The formats of results, and the same by their names for `convert`.
WRITTEN = tuple(known for known in _ALL if known.save_options is not None)
TARGETS: dict[str, Format] = {name: known for known in WRITTEN for name in (known.name.lower(), *known.aliases)}


def named_by(suffix: str) -> Format | None:
    """Return the format with this file name suffix; None if it is unknown."""
    return next((known for known in FORMATS.values() if suffix.lower() in known.suffixes), None)
