"""A picture from file to file: opened, worked on frame by frame, and written, with what could not be kept.

Orientation is applied, colours stay what they look like, transparency is never turned black, every frame keeps
its time, and what cannot be kept is said.
"""

from __future__ import annotations

import io
import math
import struct
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import IO, Any

from PIL import Image

from courier import colours, pipeline
from courier.colours import is_deep
from courier.errors import NotAPicture, Reason
from courier.frames import count_frames, decoded, decoded_frames, frames_of, plays_of
from courier.geometry import planned
from courier.metadata import kept_exif, note_what_goes, orientation_of, upright
from courier.operations import OPERATIONS, flattened, keeps_depth
from courier.pictures import (
    MOVING_FORMATS,
    Bounds,
    check_size,
    format_of,
    is_lossless_webp,
    is_moving,
    media_type,
    open_picture,
)
from courier.pipeline import Step
from courier.plain import printable
from courier.resultnames import result_name, target_of
from courier.values import Size

#: Formats that hold 16 bits of gray, and all that is gray.
DEEP_FORMATS = ("PNG", "TIFF")
#: Formats in which gray is written as gray.
_GRAY_FORMATS = ("JPEG", "PNG", "TIFF")
#: What a JPEG holds of EXIF data, in bytes; and the first orientation that lies on its side.
_MOST_EXIF, _SIDEWAYS = 65_000, 5
SAVE_OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 90},
    "PNG": {"compress_level": 1},
    "WEBP": {"quality": 90, "method": 2},
    "TIFF": {"compression": "tiff_lzw"},
    "AVIF": {"quality": 80, "speed": 9},
    "GIF": {},
}
#: The operations that leave colours as they are, so that a colour profile stays true.
_COLOURLESS = frozenset({"rotate", "flip", "flop", "crop", "resize", "thumbnail", "strip-metadata", "convert"})


@dataclass(frozen=True, kw_only=True)
class Processed:
    """A finished picture: the name that says what was done, the file, what it is, and what could not be kept."""

    name: str
    content: bytes
    media_type: str
    width: int
    height: int
    frames: int
    notes: Sequence[str]


@dataclass(kw_only=True)
class _Work:
    """One picture on its way: what goes along with its pixels."""

    steps: list[Step]
    bounds: Bounds
    target: str
    quality: int | None
    notes: list[str] = field(default_factory=list)
    profile: bytes = b""
    exif: bytes = b""
    dots: tuple[float, float] | None = None
    #: Whether the colours are not sRGB's and must be converted, and the profile that says what they are.
    is_foreign: bool = False
    foreign: bytes = b""
    #: Whether the source was a WebP without loss.
    is_lossless: bool = False
    #: How many frames there are, and how often they are shown (0: for ever).
    frames: int = 1
    plays: int = 1

    def note(self, sentence: str) -> None:
        """Say once what could not be kept."""
        if sentence not in self.notes:
            self.notes.append(sentence)


def process(file: IO[bytes], *, name: str, operations: str, bounds: Bounds) -> Processed:
    """Do a pipeline of operations to the picture in `file`, whose object is called `name`.

    Raises: InputRefused for what is no pipeline; NotAPicture if it is none, is damaged or too large.
    """
    steps = pipeline.parse(operations)
    image = open_picture(file, bounds)
    target = target_of(format_of(image), steps, moving=is_moving(image))
    work = _Work(steps=list(steps), bounds=bounds, target=target, quality=_quality(steps))
    work.is_lossless = image.format == "WEBP" and is_lossless_webp(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd metadata; what is wrong with pixels is an error
        frames, times = _frames(image, work)
    size = frames[0].size
    try:
        content = _saved(frames, times, work)
    except (OSError, ValueError, OverflowError, struct.error) as error:
        said = printable(str(error), 120)
        raise NotAPicture(
            f"The result, {size[0]} x {size[1]} pixels, cannot be written as {target}: {said}.",
            reason=Reason.IMPOSSIBLE,
        ) from error
    return Processed(
        name=result_name(name, steps, target),
        content=content,
        media_type=media_type(target),
        width=size[0],
        height=size[1],
        frames=count_frames(content) if len(frames) > 1 else 1,
        notes=work.notes,
    )


def _quality(steps: list[Step]) -> int | None:
    return next((step.values["quality"] for step in reversed(steps) if step.name == "convert"), None)


# Working


def _frames(image: Image.Image, work: _Work) -> tuple[list[Image.Image], list[float]]:
    """Return the finished frames and how long each is shown, in milliseconds; a still picture is one frame."""
    _read_metadata(image, work)
    orientation = orientation_of(image)
    if not is_moving(image):
        if image.format == "TIFF" and frames_of(image) > 1:
            work.note("only the first page was worked on")
        _draft(image, orientation, work)
        return [_done(_workable(upright(decoded(image), orientation), work), work)], [0.0]
    count = frames_of(image)
    if work.target not in MOVING_FORMATS:
        work.note(f"only the first of {count} frames was kept: {work.target} holds still pictures")
        return [_done(_workable(upright(decoded(image), orientation), work), work)], [0.0]
    if count > work.bounds.frames:
        hint = "Whoever runs the worker can raise COURIER_IMAGE_MAX_FRAMES."
        said = f"The picture has {count} frames; at most {work.bounds.frames} are allowed."
        raise NotAPicture(said, hint=hint, reason=Reason.TOO_MANY_FRAMES)
    check_size(image.size, work.bounds, "The picture has", count)
    work.frames, work.plays = count, plays_of(image)
    frames, times = [], []
    for frame, time in decoded_frames(image):
        times.append(time)
        frames.append(_done(_workable(upright(frame, orientation), work), work))
    return frames, times


def _read_metadata(image: Image.Image, work: _Work) -> None:
    """Take along what is kept of a picture's metadata: EXIF without the position, the profile, the resolution."""
    is_stripped = any(step.name == "strip-metadata" for step in work.steps)
    profile = image.info.get("icc_profile") or b""
    is_seen = any(step.name not in _COLOURLESS for step in work.steps)
    is_lost = is_stripped or work.target == "GIF" or (colours.is_of_gray(profile) and work.target not in _GRAY_FORMATS)
    if image.mode == "CMYK" or (colours.is_foreign(profile) and (is_seen or is_lost)):
        work.foreign = profile
        work.is_foreign = True
    elif not is_lost and not is_seen:
        work.profile = profile
    note_what_goes(image, work.note)
    if is_stripped:
        return
    dots = image.info.get("dpi")
    work.dots = dots if isinstance(dots, tuple) and all(0 < float(one) < 100_000 for one in dots) else None  # noqa: PLR2004  no printer has more
    if work.target == "GIF":
        return
    limit_bytes = _MOST_EXIF if work.target == "JPEG" else 2**24
    work.exif = kept_exif(image, work.note, limit_bytes=limit_bytes)


def _draft(image: Image.Image, orientation: int, work: _Work) -> None:
    """Have a JPEG decoded no larger than needed, and in gray if that is all that is wanted."""
    if image.format != "JPEG" or not work.steps:
        return
    names = [step.name for step in work.steps]
    is_gray = names[0] == "grayscale" and image.mode in {"RGB", "L"} and not work.is_foreign
    place = 1 if names[0] == "grayscale" and len(names) > 1 else 0
    step, size = work.steps[place], image.size
    if step.name == "thumbnail" or (step.name == "resize" and step.values["fit"] != "contain"):
        # What is meant is meant of the whole picture, not of what a draft leaves of it.
        whole = image.size if orientation < _SIDEWAYS else (image.height, image.width)
        width, height = planned(step, whole)
        fit = "cover" if step.values.get("fit") == "cover" else "fill"
        exact = {**step.values, "size": Size(width=width, height=height), "fit": fit}
        work.steps[place] = replace(step, name="resize", values={"gravity": "center", **exact})
        share = max(width / whole[0], height / whole[1])
        size = math.ceil(2 * image.width * share), math.ceil(2 * image.height * share)
    if is_gray or size != image.size:
        image.draft("L" if is_gray else None, size)


def _workable(image: Image.Image, work: _Work) -> Image.Image:
    """Return a picture in a mode that operations know: L, LA, RGB, RGBA, or deep gray where all of them know that."""
    if is_deep(image):
        if "transparency" in image.info:
            work.note("its transparent gray became opaque")
        keeps = all(map(keeps_depth, work.steps)) and work.target in DEEP_FORMATS
        return image if keeps else colours.shallow(image, work.note)
    if _rawmode(image).endswith(";16B"):
        work.note("its 16 bits a channel became 8")
    if work.is_foreign:
        image = colours.in_srgb(image, work.foreign, work.note)
    is_gray = image.mode in {"1", "L", "LA", "La"}
    wanted = ("LA" if is_gray else "RGBA") if colours.has_alpha(image) else ("L" if is_gray else "RGB")
    if image.mode == "L" and wanted == "LA":
        image = image.convert("RGBA")
    return image if image.mode == wanted else image.convert(wanted)


def _rawmode(image: Image.Image) -> str:
    tile = getattr(image, "tile", None)
    found = tile[0][3] if tile else ""
    return found[0] if isinstance(found, tuple) and found and isinstance(found[0], str) else str(found)


def _done(image: Image.Image, work: _Work) -> Image.Image:
    for step in work.steps:
        check_size(planned(step, image.size), work.bounds, "The result would have", work.frames)
        if image.mode == "1" and step.name not in {"convert", "strip-metadata"}:
            image = image.convert("L")
        image = OPERATIONS[step.name](image, step.values)
    return image


# Writing


def _saved(frames: list[Image.Image], times: list[float], work: _Work) -> bytes:
    frames = [_writable(frame, work) for frame in frames]
    options = _options(frames[0], work)
    if len(frames) > 1:
        options |= {"append_images": frames[1:], **_timing(times, work)}
    for frame in frames:
        # Whatever the source brought along is written only if it is among the options.
        frame.info = {}
    file = io.BytesIO()
    frames[0].save(file, format=work.target, **options)
    return file.getvalue()


def _options(first: Image.Image, work: _Work) -> dict[str, Any]:
    """Return how a picture is written, whose first or only frame this is."""
    options = dict(SAVE_OPTIONS[work.target])
    if work.quality:
        options["quality"] = work.quality
    elif work.target == "WEBP" and work.is_lossless:
        # Quality means effort here.
        options |= {"lossless": True, "quality": 50}
    if work.exif:
        options["exif"] = work.exif
    if work.profile and colours.fits(work.profile, first):
        options["icc_profile"] = work.profile
    if work.dots and work.target in {"JPEG", "PNG", "TIFF"}:
        options["dpi"] = work.dots
    return options


def _timing(times: list[float], work: _Work) -> dict[str, Any]:
    """Return how frames are written that follow each other."""
    options: dict[str, Any] = {"save_all": True, "duration": [round(one) for one in times]}
    if work.target != "GIF":
        return {**options, "loop": work.plays}
    options["disposal"] = 2
    # A GIF that is shown once says nothing of it.
    return options if work.plays == 1 else {**options, "loop": max(0, work.plays - 1)}


def _writable(image: Image.Image, work: _Work) -> Image.Image:
    """Return a picture that the target's format can hold."""
    if image.mode in {"LA", "RGBA"} and work.target == "JPEG":
        work.note("its transparency became white: JPEG has none")
        return flattened(image, "white")
    if image.mode == "1" and work.target in {"JPEG", "WEBP", "AVIF"}:
        return image.convert("L")
    if image.mode in {"I", "F"} and work.target == "PNG":
        return colours.sixteen_bits(image, work.note)
    return image
