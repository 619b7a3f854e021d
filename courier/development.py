"""A picture from file to file: opened, worked on frame by frame, and written, with what could not be kept.

Orientation is applied, colours stay what they look like, transparency is never turned black, every frame keeps
its time, and what cannot be kept is said.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import IO, Any

from PIL import Image, ImageOps, ImageSequence

from courier import colours, pipeline
from courier.colours import is_deep
from courier.errors import CourierError, NotAPicture
from courier.metadata import ORIENTATION, kept_exif
from courier.operations import OPERATIONS, flattened, keeps_depth, target
from courier.pictures import (
    FORMATS,
    MOVING_FORMATS,
    Bounds,
    Header,
    check_size,
    format_of,
    is_moving,
    media_type,
    open_picture,
)
from courier.pipeline import Size, Step
from courier.plain import printable

#: Formats that a still picture is stored in as it came; every other becomes a PNG. Moving ones stay what they are.
KEPT_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")
#: Formats that hold 16 bits of gray, and all that is gray.
DEEP_FORMATS = ("PNG", "TIFF")
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
    work = _Work(
        steps=steps,
        bounds=bounds,
        target=_target(format_of(image), steps, moving=is_moving(image)),
        quality=_quality(steps),
    )
    try:
        frames, times = _frames(image, work)
        content = _saved(frames, times, image.info.get("loop"), work)
    except (MemoryError, CourierError):
        raise
    except Exception as error:
        header = f"its header says {format_of(image)}, {image.width} x {image.height} pixels"
        raise NotAPicture(f"The picture is damaged or cut short: {printable(str(error), 120)} ({header}).") from error
    return Processed(
        name=result_name(name, steps, work.target),
        content=content,
        media_type=media_type(work.target),
        width=frames[0].width,
        height=frames[0].height,
        frames=len(frames),
        notes=work.notes,
    )


def name_for(name: str, steps: list[Step], header: Header) -> str:
    """Return what the result is called of a picture whose header is known."""
    return result_name(name, steps, _target(header.format, steps, moving=header.is_moving))


def likely_name(name: str, steps: list[Step]) -> str:
    """Return what the result is called if the picture is what its name says, and still."""
    ending = PurePosixPath(name).suffix.lower()
    source = next((one for one, endings in FORMATS.items() if ending in endings), "PNG")
    return result_name(name, steps, _target(source, steps, moving=source == "GIF"))


def result_name(name: str, steps: list[Step], wanted: str) -> str:
    """Return what the result is called: cat.jpg becomes cat-grayscale.jpg.

    Where the ending changes, it is the new one's, unless the old one says what the source was: the whole old
    name then stays and a point follows (cat.gif.grayscale.png), so that no two sources have results of the same name.
    """
    path = PurePosixPath(name)
    done = pipeline.slug(steps)
    if path.suffix.lower() in FORMATS[wanted]:
        return f"{path.stem}-{done}{path.suffix}"
    return f"{name}.{done}{FORMATS[wanted][0]}"


def _target(source: str, steps: list[Step], *, moving: bool) -> str:
    asked = [step.values["target"] for step in steps if step.name == "convert"]
    if asked:
        return str(asked[-1])
    if moving:
        return source
    is_dotted = any(step.name == "black-and-white" for step in steps)
    return source if source in KEPT_FORMATS and not is_dotted else "PNG"


def _quality(steps: list[Step]) -> int | None:
    return next((step.values["quality"] for step in reversed(steps) if step.name == "convert"), None)


# Working


def _frames(image: Image.Image, work: _Work) -> tuple[list[Image.Image], list[float]]:
    """Return the finished frames and how long each is shown, in milliseconds; a still picture is one frame."""
    _read_metadata(image, work)
    if not is_moving(image):
        if getattr(image, "n_frames", 1) > 1:
            work.note("only the first page was worked on")
        _draft(image, work)
        return [_done(_workable(ImageOps.exif_transpose(image), work), work)], [0.0]
    count = int(getattr(image, "n_frames", 1))
    if work.target not in MOVING_FORMATS:
        work.note(f"only the first of {count} frames was kept: {work.target} holds still pictures")
        return [_done(_workable(image, work), work)], [0.0]
    if count > work.bounds.frames:
        hint = "Whoever runs the worker can raise COURIER_IMAGE_MAX_FRAMES."
        raise NotAPicture(f"The picture has {count} frames; at most {work.bounds.frames} are allowed.", hint=hint)
    check_size(image.size, work.bounds, "The picture has", count)
    frames, times = [], []
    for frame in ImageSequence.Iterator(image):
        pixels = frame.convert("RGBA")
        times.append(float(frame.info.get("duration", 0)))  # which some formats tell only once a frame is decoded
        frames.append(_done(_workable(pixels, work), work))
    return frames, times


def _read_metadata(image: Image.Image, work: _Work) -> None:
    """Take along what is kept of a picture's metadata: EXIF without the position, the profile, the resolution."""
    if any(step.name == "strip-metadata" for step in work.steps):
        return
    work.profile = image.info.get("icc_profile") or b""
    dots = image.info.get("dpi")
    work.dots = dots if isinstance(dots, tuple) and all(0 < float(one) < 100_000 for one in dots) else None  # noqa: PLR2004  no printer has more
    work.exif = kept_exif(image.getexif(), work.note)


def _draft(image: Image.Image, work: _Work) -> None:
    """Have a JPEG decoded no larger than needed, and in gray if that is all that is wanted."""
    if image.format != "JPEG":
        return
    names = [step.name for step in work.steps]
    is_gray = names[0] == "grayscale" and image.mode in {"RGB", "L"} and not colours.is_foreign(work.profile)
    first = 1 if names[0] == "grayscale" and len(names) > 1 else 0
    size: tuple[int, int] | None = None
    step = work.steps[first]
    if step.name in {"resize", "thumbnail"}:
        upright = _upright_size(image)
        wanted: Size = step.values["size"]
        if step.name == "resize":
            # What is meant is meant of the whole picture, not of what a draft leaves of it.
            width, height = target(upright, wanted)
            both = Size(width=width, height=height)
            fit = step.values["fit"] if wanted.width and wanted.height else "fill"
            work.steps[first] = replace(step, values={**step.values, "size": both, "fit": fit})
            share = max(width / upright[0], height / upright[1])
        elif wanted.percent:
            return
        else:
            width, height = wanted.width or wanted.height or 1, wanted.height or wanted.width or 1
            share = min(width / upright[0], height / upright[1])
        size = math.ceil(2 * image.width * share), math.ceil(2 * image.height * share)
    if is_gray or size:
        image.draft("L" if is_gray else None, size or image.size)


def _upright_size(image: Image.Image) -> tuple[int, int]:
    is_turned = image.getexif().get(ORIENTATION, 1) in {5, 6, 7, 8}
    return (image.height, image.width) if is_turned else image.size


def _workable(image: Image.Image, work: _Work) -> Image.Image:
    """Return a picture in a mode that operations know: L, LA, RGB, RGBA, or deep gray where all of them know that."""
    names = {step.name for step in work.steps}
    if is_deep(image):
        keeps = all(map(keeps_depth, work.steps)) and work.target in DEEP_FORMATS
        return image if keeps else colours.shallow(image, work.note)
    if _rawmode(image).endswith(";16B"):
        work.note("its 16 bits a channel became 8")
    if image.mode == "CMYK" or (colours.is_foreign(work.profile) and not names <= _COLOURLESS):
        image, work.profile = colours.in_srgb(image, work.profile, work.note), b""
    has_alpha = image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info
    is_gray = image.mode in {"1", "L", "LA", "La"}
    wanted = ("LA" if has_alpha else "L") if is_gray else ("RGBA" if has_alpha else "RGB")
    if image.mode == "L" and has_alpha:
        image = image.convert("RGBA")
    return image if image.mode == wanted else image.convert(wanted)


def _rawmode(image: Image.Image) -> str:
    tile = getattr(image, "tile", None)
    found = tile[0][3] if tile else ""
    return found[0] if isinstance(found, tuple) and found and isinstance(found[0], str) else str(found)


def _done(image: Image.Image, work: _Work) -> Image.Image:
    for step in work.steps:
        if step.name == "resize":
            check_size(target(image.size, step.values["size"]), work.bounds, "The result would have")
        if image.mode == "1" and step.name not in {"convert", "strip-metadata"}:
            image = image.convert("L")
        image = OPERATIONS[step.name](image, step.values)
        check_size(image.size, work.bounds, "The result would have")
    return image


# Writing


def _saved(frames: list[Image.Image], times: list[float], loop: int | None, work: _Work) -> bytes:
    frames = [_writable(frame, work) for frame in frames]
    options = dict(SAVE_OPTIONS[work.target])
    if work.quality and "quality" in options:
        options["quality"] = work.quality
    if work.exif and work.target != "GIF":
        options["exif"] = work.exif
    if work.profile and colours.fits(work.profile, frames[0]):
        options["icc_profile"] = work.profile
    if work.dots and work.target in {"JPEG", "PNG", "TIFF"}:
        options["dpi"] = work.dots
    if len(frames) > 1:
        options |= {"save_all": True, "append_images": frames[1:], "duration": [round(one) for one in times]}
        if loop is not None:
            options["loop"] = loop
        if work.target == "GIF":
            options["disposal"] = 2
    for frame in frames:
        # Whatever the source brought along is written only if it is among the options.
        frame.info.clear()
    file = io.BytesIO()
    frames[0].save(file, format=work.target, **options)
    return file.getvalue()


def _writable(image: Image.Image, work: _Work) -> Image.Image:
    """Return a picture that the target's format can hold."""
    if image.mode in {"LA", "RGBA"} and work.target == "JPEG":
        work.note("its transparency became white: JPEG has none")
        return flattened(image, "white")
    if image.mode == "1" and work.target in {"JPEG", "WEBP", "AVIF"}:
        return image.convert("L")
    if image.mode in {"I", "F"} and work.target == "PNG":
        return colours.sixteen_bits(image, work.note)
    return image.copy() if image.info else image
