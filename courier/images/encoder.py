"""Encode a processed image as a file: metadata, profiles, and what the format cannot hold."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field, replace
from typing import Any

from PIL import Image, ImageFile

from courier.errors import NotAnImage, Reason
from courier.images import avif, color, palette
from courier.images.effects import filled, flattened
from courier.images.formats import Format
from courier.images.metadata import Kept
from courier.images.notes import Note
from courier.text import printable

#: Error messages of encoders that ran out of memory (libwebp's error 1 is that).
_OUT_OF_MEMORY = ("encoding error 1", "Failed to encode image")
#: The longest duration of a GIF's frame, and its unit, in milliseconds.
_GIF_LONGEST, _GIF_UNIT = 655_350, 10

#: The range of qualities.
_WORST, _BEST = 1, 100

#: The offset and the bit of an animated WebP's alpha flag (RFC 9649, 2.7).
_WEBP_FLAGS, _WEBP_ALPHA = 20, 0x10


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """How to encode a result: its format, options, metadata and profile."""

    target: Format
    quality: int | None = None
    #: How hard to try for a small file without loss, 1 to 9; None: the default.
    effort: int | None = None
    #: The maximum file size in bytes, for which the best quality is searched.
    max_bytes: int | None = None
    kept: Kept = field(default_factory=Kept)
    #: Whether the source was a lossless WebP.
    is_lossless: bool = False
    #: Whether the source had a palette or one bit per pixel.
    is_compact: bool = False
    #: A JPEG's chroma subsampling (0: 4:4:4, 1: 4:2:2, 2: 4:2:0) and quantization tables; None: the defaults.
    sampling: int | None = None
    tables: dict[int, list[int]] | None = None
    #: Whether the source was a GIF.
    is_gif: bool = False
    #: The number of times the frames are shown; 0: forever.
    plays: int = 1


def saved(frames: list[Image.Image], times: list[float], encoding: Encoding, note: Note) -> bytes:
    """Encode frames with their durations in milliseconds. Raises: NotAnImage."""
    try:
        return (_limited if encoding.max_bytes else _saved)(frames, times, encoding, note)
    except (OSError, ValueError, OverflowError, RuntimeError, struct.error) as error:
        said = printable(str(error), 120)
        if any(sign in said for sign in _OUT_OF_MEMORY):
            raise MemoryError from error
        size = f"{frames[0].width} x {frames[0].height} pixels"
        raise NotAnImage(
            f"The result, {size}, cannot be written as {encoding.target.name}: {said}.", reason=Reason.IMPOSSIBLE
        ) from error


def _limited(frames: list[Image.Image], times: list[float], encoding: Encoding, note: Note) -> bytes:
    """Return the file with the best quality within the size limit. Raises: NotAnImage if there is none."""
    most_bytes = encoding.max_bytes or 0
    if encoding.target.name == "WEBP" and encoding.is_lossless:
        content = _saved(frames, times, encoding, note)
        if len(content) <= most_bytes:
            return content
    found, quality, low, high = b"", 0, _WORST, _BEST
    while low <= high:
        middle = (low + high) // 2
        content = _saved(frames, times, replace(encoding, quality=middle, is_lossless=False), note)
        if len(content) <= most_bytes:
            found, quality, low = content, middle, middle + 1
        else:
            high = middle - 1
    if not found:
        # The lowest quality was tried last.
        raise NotAnImage(
            f"The result, as {encoding.target.name} of the lowest quality, has {len(content):,} bytes; "
            f"at most {most_bytes:,} are allowed by the operations.",
            hint="Allow more, or put thumbnail or strip-metadata before convert.",
            reason=Reason.IMPOSSIBLE,
        )
    if quality < _BEST:
        note(f"its quality is {quality}, the best that fits in {most_bytes:,} bytes")
    return found


def _saved(frames: list[Image.Image], times: list[float], encoding: Encoding, note: Note) -> bytes:
    frames = [_writable(frame, encoding, note) for frame in frames]
    if _clears(frames, encoding):
        frames = [palette.with_clear(frame, note) for frame in frames]
    if encoding.is_compact and len(frames) == 1 and encoding.target.name == "PNG":
        frames = [palette.compacted(frames[0])]
    options = _options(encoding)
    if encoding.kept.profile and color.fits(encoding.kept.profile, frames[0]):
        options["icc_profile"] = encoding.kept.profile
    elif encoding.kept.profile:
        note("its color profile was removed: it does not match this kind of image")
    if len(frames) > 1:
        options |= {"append_images": frames[1:], **_timing(frames, times, encoding, note)}
    # Pillow copies some tags of an opened TIFF: XMP, IPTC, and the meaning of its channels.
    frames = [frame._new(frame.im) if isinstance(frame, ImageFile.ImageFile) else frame for frame in frames]  # noqa: SLF001
    for frame in frames:
        # Pillow writes the source's metadata only if it is among the options.
        frame.info = {name: value for name, value in frame.info.items() if name == "transparency" and frame.mode == "P"}
    file = io.BytesIO()
    frames[0].save(file, format=encoding.target.name, **options)
    if encoding.target.name == "WEBP" and any(map(color.is_see_through, frames[1:])):
        # libwebp does not set the flag if only cleared areas are transparent.
        file.getbuffer()[_WEBP_FLAGS] |= _WEBP_ALPHA
    content = file.getvalue()
    # Pillow has no option for it.
    return avif.with_plays(content, encoding.plays) if encoding.target.name == "AVIF" and len(frames) > 1 else content


def _options(encoding: Encoding) -> dict[str, Any]:
    """Return the save options of an image."""
    options = dict(encoding.target.save_options or {})
    if encoding.sampling is not None:
        options["subsampling"] = encoding.sampling
    if encoding.quality:
        options["quality"] = encoding.quality
    elif encoding.tables:
        # Pillow would scale the tables by a quality.
        options = {**options, "qtables": encoding.tables, "quality": -1}
    elif encoding.target.name == "WEBP" and encoding.is_lossless:
        # Quality means effort here.
        options |= {"lossless": True, "quality": 50}
    if encoding.effort:
        options[encoding.target.effort_option] = encoding.effort
    if encoding.kept.exif:
        options["exif"] = encoding.kept.exif
    if encoding.kept.dots:
        options["dpi"] = encoding.kept.dots
    return options


def _timing(frames: list[Image.Image], times: list[float], encoding: Encoding, note: Note) -> dict[str, Any]:
    """Return the save options of an animation."""
    options: dict[str, Any] = {"save_all": True, "duration": [round(one) for one in times]}
    if encoding.target.name == "AVIF" and not all(options["duration"]):
        note("frames of no duration are shown for a millisecond: AVIF has none shorter")
        options["duration"] = [max(1, one) for one in options["duration"]]
    if encoding.target.name != "GIF":
        return {**options, "loop": encoding.plays}
    if any(one % _GIF_UNIT or one > _GIF_LONGEST for one in times):
        note("its frame durations were rounded: GIF has hundredths of a second, up to 655 s")
    options["duration"] = [min(round(one), _GIF_LONGEST) for one in times]
    # Keep a frame for the next one, unless that has to be transparent where this one is not.
    options["disposal"] = 2 if _clears(frames, encoding) else 1
    # A GIF that plays once has no loop count.
    return options if encoding.plays == 1 else {**options, "loop": max(0, encoding.plays - 1)}


def _clears(frames: list[Image.Image], encoding: Encoding) -> bool:
    """Whether a GIF's frames must be cleared, because later frames uncover pixels."""
    return encoding.target.name == "GIF" and any(map(palette.uncovers, frames, frames[1:]))


def _writable(image: Image.Image, encoding: Encoding, note: Note) -> Image.Image:
    """Convert an image to a mode that the target format supports."""
    modes = encoding.target.modes
    if image.mode in {"LA", "RGBA"} and "RGBA" not in modes:
        if color.is_see_through(image):
            note(f"its transparency became white: {encoding.target.name} has none")
        return flattened(image, "white")
    if encoding.target.name == "GIF":
        made, is_exact = palette.paletted(image)
        if not is_exact and not encoding.is_gif:
            note("its colors were reduced to 256: GIF has no more")
        if image.mode in {"LA", "RGBA"} and color.is_soft(image):
            note("partial transparency became full or none: GIF has nothing in between")
        return made
    if image.mode in {"LA", "RGBA"} and encoding.target.has_quality and not encoding.is_lossless:
        # Transparent colors would bleed into visible pixels beside them.
        return filled(image)
    if image.mode == "1" and "1" not in modes:
        return image.convert("L")
    if image.mode in {"I", "F"} and image.mode not in modes:
        return color.sixteen_bits(image, note)
    return image
