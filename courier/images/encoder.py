"""Encode a processed image as a file: metadata, profiles, and what the format cannot hold."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from courier.errors import NotAPicture, Reason
from courier.images import color
from courier.images.effects import flattened
from courier.images.formats import FORMATS
from courier.images.operation import Step
from courier.images.probe import Bounds
from courier.text import printable

#: What encoders say that could not have as much memory as they wanted (libwebp's first error is that).
_OUT_OF_MEMORY = ("encoding error 1", "Failed to encode image")
#: The longest that a GIF shows a frame, in milliseconds, and the units it counts in.
_GIF_LONGEST, _GIF_UNIT = 655_350, 10


@dataclass(kw_only=True)
class EncodingJob:
    """One picture on its way: what is done to it, and what goes along with its pixels."""

    steps: list[Step]
    bounds: Bounds
    target: str
    quality: int | None
    notes: list[str] = field(default_factory=list)
    profile: bytes = b""
    exif: bytes = b""
    dots: tuple[float, float] | None = None
    #: Whether the colors are not sRGB's and must be converted, and the profile that says what they are.
    is_foreign: bool = False
    foreign: bytes = b""
    #: Whether the source was a WebP without loss.
    is_lossless: bool = False
    is_gif: bool = False
    #: How many frames there are, and how often they are shown (0: for ever).
    frames: int = 1
    plays: int = 1

    def note(self, sentence: str) -> None:
        """Say once what could not be kept."""
        if sentence not in self.notes:
            self.notes.append(sentence)


def saved(frames: list[Image.Image], times: list[float], work: EncodingJob) -> bytes:
    """Return the file that frames make, each shown for so many milliseconds. Raises: NotAPicture."""
    try:
        return _saved(frames, times, work)
    except (OSError, ValueError, OverflowError, RuntimeError, struct.error) as error:
        said = printable(str(error), 120)
        if any(sign in said for sign in _OUT_OF_MEMORY):
            raise MemoryError from error
        size = f"{frames[0].width} x {frames[0].height} pixels"
        raise NotAPicture(
            f"The result, {size}, cannot be written as {work.target}: {said}.", reason=Reason.IMPOSSIBLE
        ) from error


def _saved(frames: list[Image.Image], times: list[float], work: EncodingJob) -> bytes:
    frames = [_writable(frame, work) for frame in frames]
    if work.profile and not color.fits(work.profile, frames[0]):
        work.note("its color profile went: it is none for this kind of picture")
        work.profile = b""
    options = _options(work)
    if len(frames) > 1:
        options |= {"append_images": frames[1:], **_timing(times, work)}
    for frame in frames:
        # Whatever the source brought along is written only if it is among the options.
        frame.info = {}
    file = io.BytesIO()
    frames[0].save(file, format=work.target, **options)
    return file.getvalue()


def _options(work: EncodingJob) -> dict[str, Any]:
    """Return how a picture is written."""
    options = dict(FORMATS[work.target].save_options or {})
    if work.quality:
        options["quality"] = work.quality
    elif work.target == "WEBP" and work.is_lossless:
        # Quality means effort here.
        options |= {"lossless": True, "quality": 50}
    if work.exif:
        options["exif"] = work.exif
    if work.profile:
        options["icc_profile"] = work.profile
    if work.dots and FORMATS[work.target].has_resolution:
        options["dpi"] = work.dots
    return options


def _timing(times: list[float], work: EncodingJob) -> dict[str, Any]:
    """Return how frames are written that follow each other."""
    options: dict[str, Any] = {"save_all": True, "duration": [round(one) for one in times]}
    if work.target != "GIF":
        return {**options, "loop": work.plays}
    if any(one % _GIF_UNIT or one > _GIF_LONGEST for one in times):
        work.note("its frames' times were rounded: GIF knows hundredths of a second, up to 655 s")
    options["duration"] = [min(round(one), _GIF_LONGEST) for one in times]
    options["disposal"] = 2
    # A GIF that is shown once says nothing of it.
    return options if work.plays == 1 else {**options, "loop": max(0, work.plays - 1)}


def _for_gif(image: Image.Image, work: EncodingJob) -> Image.Image:
    """Return a picture as Pillow writes GIFs well, and say what they cannot hold."""
    if not work.is_gif and image.mode in {"RGB", "RGBA"}:
        work.note("its colors became 256 at most: GIF has no more")
    if image.mode not in {"LA", "RGBA"}:
        return image
    if color.is_soft(image):
        work.note("what was half transparent became transparent or not: GIF knows nothing between")
    # Of gray with transparency Pillow would write the gray alone.
    return image.convert("RGBA")


def _writable(image: Image.Image, work: EncodingJob) -> Image.Image:
    """Return a picture that the target's format can hold."""
    modes = FORMATS[work.target].modes
    if image.mode in {"LA", "RGBA"} and "RGBA" not in modes:
        if color.is_see_through(image):
            work.note(f"its transparency became white: {work.target} has none")
        return flattened(image, "white")
    if work.target == "GIF":
        return _for_gif(image, work)
    if image.mode == "1" and "1" not in modes:
        return image.convert("L")
    if image.mode in {"I", "F"} and image.mode not in modes:
        return color.sixteen_bits(image, work.note)
    return image
