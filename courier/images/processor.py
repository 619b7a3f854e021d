"""Process an image from file to file: open, transform frame by frame, and encode.

Orientation is applied, colors stay what they look like, transparency is never turned black, every frame keeps
its time, and what cannot be kept is said.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import IO

from PIL import Image

from courier.errors import NotAPicture, Reason
from courier.images import color, pipeline
from courier.images.animation import count_frames, decoded, decoded_frames, frames_of, plays_of
from courier.images.color import is_deep
from courier.images.encoder import EncodingJob, saved
from courier.images.formats import FORMATS
from courier.images.metadata import kept_exif, note_what_goes, orientation_of, upright
from courier.images.naming import result_name, target_of
from courier.images.operation import Step
from courier.images.operations import OPERATIONS
from courier.images.probe import Bounds, check_size, format_of, is_lossless_webp, is_moving, open_image

#: The first orientation that lies on its side.
_SIDEWAYS = 5


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


def process(file: IO[bytes], *, name: str, operations: str, bounds: Bounds) -> Processed:
    """Do a pipeline of operations to the picture in `file`, whose object is called `name`.

    Raises: Rejected for what is no pipeline; NotAPicture if it is none, is damaged or too large.
    """
    steps = pipeline.parse(operations)
    image = open_image(file, bounds)
    target = target_of(format_of(image), steps, moving=is_moving(image))
    work = EncodingJob(steps=list(steps), bounds=bounds, target=target, quality=_quality(steps))
    work.is_gif = image.format == "GIF"
    work.is_lossless = image.format == "WEBP" and is_lossless_webp(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd metadata; what is wrong with pixels is an error
        frames, times = _frames(image, work)
    size = frames[0].size
    content = saved(frames, times, work)
    return Processed(
        name=result_name(name, steps, target),
        content=content,
        media_type=FORMATS[target].media_type,
        width=size[0],
        height=size[1],
        frames=count_frames(content) if len(frames) > 1 else 1,
        notes=work.notes,
    )


def _quality(steps: list[Step]) -> int | None:
    return next((step.values["quality"] for step in reversed(steps) if step.name == "convert"), None)


# Working


def _frames(image: Image.Image, work: EncodingJob) -> tuple[list[Image.Image], list[float]]:
    """Return the finished frames and how long each is shown, in milliseconds; a still picture is one frame."""
    count = frames_of(image)
    if not is_moving(image) or not FORMATS[work.target].animates:
        return [_still(image, count, work)], [0.0]
    if count > work.bounds.frames:
        hint = "To allow more frames, set COURIER_IMAGE_MAX_FRAMES on the worker."
        said = f"The picture has {count} frames; at most {work.bounds.frames} are allowed."
        raise NotAPicture(said, hint=hint, reason=Reason.TOO_MANY_FRAMES)
    check_size(image.size, work.bounds, "The picture has", count)
    work.frames, work.plays = count, plays_of(image)
    _read_metadata(image, work)
    orientation = orientation_of(image)
    frames, times = [], []
    for frame, time in decoded_frames(image):
        times.append(time)
        frames.append(_done(_workable(upright(frame, orientation), work), work))
    return frames, times


def _still(image: Image.Image, count: int, work: EncodingJob) -> Image.Image:
    """Return the finished picture of a file that has one, or whose first is taken."""
    if count > 1:
        kind = {"TIFF": "pages", "MPO": "pictures"}.get(image.format or "", "frames")
        work.note(f"only the first of {count} {kind} was kept")
    rawmode = _rawmode(image)
    _read_metadata(image, work)
    orientation = orientation_of(image)
    _draft(image, orientation, work)
    decoded(image)
    if ";16" in rawmode and not is_deep(image):
        work.note("its 16 bits a channel became 8")
    # Pillow turns a TIFF upright itself, as it decodes it, and forgets its orientation.
    return _done(
        _workable(upright(image, orientation_of(image) if image.format == "TIFF" else orientation), work), work
    )


def _read_metadata(image: Image.Image, work: EncodingJob) -> None:
    """Take along what is kept of a picture's metadata: EXIF without the position, the profile, the resolution."""
    is_stripped = any(step.operation.strips_metadata for step in work.steps)
    profile = image.info.get("icc_profile") or b""
    is_seen = not all(step.operation.keeps_color for step in work.steps)
    target = FORMATS[work.target]
    is_lost = is_stripped or not target.max_exif_bytes or (color.is_of_gray(profile) and "L" not in target.modes)
    if image.mode == "CMYK" or (color.is_foreign(profile) and (is_seen or is_lost)):
        work.foreign = profile
        work.is_foreign = True
    elif not is_lost and not is_seen:
        work.profile = profile
    elif profile and color.is_foreign(profile):
        work.note("its color profile went")
    note_what_goes(image, work.note)
    if is_stripped:
        return
    dots = image.info.get("dpi")
    # A TIFF without a resolution has one of 1; no printer has 100,000.
    work.dots = dots if isinstance(dots, tuple) and all(1 < float(one) < 100_000 for one in dots) else None  # noqa: PLR2004
    if target.max_exif_bytes:
        work.exif = kept_exif(image, work.note, limit_bytes=target.max_exif_bytes, whole=target.has_exposure)


def _draft(image: Image.Image, orientation: int, work: EncodingJob) -> None:
    """Have a JPEG decoded no larger than needed, and in gray if that is all that is wanted."""
    if image.format != "JPEG" or not work.steps:
        return
    is_gray = work.steps[0].operation.needs_only_gray and image.mode in {"RGB", "L"} and not work.is_foreign
    place = 1 if work.steps[0].operation.needs_only_gray and len(work.steps) > 1 else 0
    step, size = work.steps[place], image.size
    # What is meant is meant of the whole picture, not of what a draft leaves of it.
    whole = image.size if orientation < _SIDEWAYS else (image.height, image.width)
    if exact := step.operation.scale(whole, step.values):
        width, height = exact["size"].width, exact["size"].height
        work.steps[place] = replace(step, operation=OPERATIONS["resize"], values=exact)
        share = max(width / whole[0], height / whole[1])
        size = math.ceil(2 * image.width * share), math.ceil(2 * image.height * share)
    if is_gray or size != image.size:
        image.draft("L" if is_gray else None, size)


def _workable(image: Image.Image, work: EncodingJob) -> Image.Image:
    """Return a picture in a mode that operations know: L, LA, RGB, RGBA, or deep gray where all of them know that."""
    if is_deep(image):
        if "transparency" in image.info:
            work.note("its transparent gray became opaque")
        if work.is_foreign:
            work.note("its color profile went")
        keeps = all(step.keeps_depth for step in work.steps) and "I;16" in FORMATS[work.target].modes
        return image if keeps else color.shallow(image, work.note)
    if work.is_foreign:
        image = color.in_srgb(image, work.foreign, work.note)
    is_gray = image.mode in {"1", "L", "LA", "La"}
    wanted = ("LA" if is_gray else "RGBA") if color.has_alpha(image) else ("L" if is_gray else "RGB")
    if image.mode == "L" and wanted == "LA":
        image = image.convert("RGBA")
    return image if image.mode == wanted else image.convert(wanted)


def _rawmode(image: Image.Image) -> str:
    tile = getattr(image, "tile", None)
    found = tile[0][3] if tile else ""
    return found[0] if isinstance(found, tuple) and found and isinstance(found[0], str) else str(found)


def _done(image: Image.Image, work: EncodingJob) -> Image.Image:
    for step in work.steps:
        apply, opaque_note = step.operation.apply, step.operation.opaque_note
        if opaque_note and color.is_see_through(image):
            work.note(opaque_note)
        check_size(step.size_after(image.size), work.bounds, "The result would have", work.frames)
        if apply:
            image = apply(image.convert("L") if image.mode == "1" else image, step.values)
    return image
