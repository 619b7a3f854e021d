"""Process an image from file to file: open, transform frame by frame, and encode.

Applies the orientation; keeps colors, transparency and frame durations; notes what cannot be kept.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import IO, Any

from PIL import Image, JpegImagePlugin

from courier.errors import NotAnImage, Reason
from courier.images import color, logo
from courier.images.animation import count_frames, decoded_frames, frames_of, plays_of
from courier.images.color import is_deep
from courier.images.decoding import decode
from courier.images.draft import drafted
from courier.images.encoder import Encoding, saved
from courier.images.formats import FORMATS, Format
from courier.images.metadata import SIDEWAYS, kept_of, orientation_of, upright
from courier.images.naming import result_name
from courier.images.notes import Note, Notes
from courier.images.pipeline import Pipeline, parse
from courier.images.probe import Bounds, Source, check_size, is_lossless_webp, open_source

#: The bits per channel of Pillow's color images.
_BITS = 8
#: The sum of the luminance quantization table at the default quality of 90; finer tables have smaller sums.
_USUAL_TABLE = 736
#: Operations that leave an image as it is, but in sRGB and of 8 bits a channel.
_AS_LOGO = "saturation=1,strip-metadata,convert=png"


@dataclass(frozen=True, kw_only=True)
class Processed:
    """A processed image: its name, file and properties, and notes on what could not be kept."""

    name: str
    content: bytes
    media_type: str
    width: int
    height: int
    frames: int
    notes: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class _Job:
    """The processing of an image's frames."""

    pipeline: Pipeline
    encoding: Encoding
    bounds: Bounds
    note: Note
    #: The number of frames of the result, and whether they are an animation.
    frames: int
    moves: bool


def process(
    file: IO[bytes], *, name: str, operations: str, bounds: Bounds, logos: Mapping[str, bytes] = MappingProxyType({})
) -> Processed:
    """Process the image in `file`, whose object is called `name`, by a pipeline of operations.

    `logos` are the files of those that the pipeline names.

    Raises: Rejected for an invalid pipeline; NotAnImage if the image is not supported, damaged or too large.
    """
    notes = Notes()
    pipeline = _with_pixels(parse(operations), logos, notes.add)
    source = open_source(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about metadata; problems with pixels are errors
        job = _job(source, file, pipeline, bounds, notes.add)
        frames, times = _moving(source, job) if job.moves else ([_still(source, job)], [0.0])
    size, target = frames[0].size, job.encoding.target
    content = saved(frames, times, job.encoding, notes.add)
    return Processed(
        name=result_name(name, pipeline, target.name),
        content=content,
        media_type=target.media_type,
        width=size[0],
        height=size[1],
        frames=count_frames(content) if len(frames) > 1 else 1,
        notes=notes,
    )


# Processing


def _with_pixels(pipeline: Pipeline, logos: Mapping[str, bytes], note: Note) -> Pipeline:
    """Return a pipeline with the pixels of its logos. Raises: Rejected."""
    pixels = {name: _logo(logos[name], note) for name in pipeline.logos if name in logos}
    steps = (
        replace(step, values={**step.values, logo.PIXELS: pixels[step.values[logo.NAME]]})
        if step.values.get(logo.NAME) in pixels
        else step
        for step in pipeline.steps
    )
    return Pipeline(steps=tuple(steps))


def _logo(content: bytes, note: Note) -> Image.Image:
    """Decode a logo as any image is decoded, in sRGB. Raises: Rejected."""
    logo.check(content)
    try:
        made = process(io.BytesIO(content), name="logo", operations=_AS_LOGO, bounds=logo.BOUNDS)
    except NotAnImage as error:
        raise logo.unusable(error.message, error.reason) from error
    for said in made.notes:
        # Its metadata are no part of the result in any case.
        if "removed" not in said or "profile" in said:
            note(f"the logo: {said}")
    return Image.open(io.BytesIO(made.content)).convert("RGBA")


def _job(source: Source, file: IO[bytes], pipeline: Pipeline, bounds: Bounds, note: Note) -> _Job:
    """Plan the processing before the image is decoded. Raises: NotAnImage."""
    image = source.image
    is_lossless = image.format == "WEBP" and is_lossless_webp(file)
    target = FORMATS[pipeline.target(source.format.name, moving=source.is_moving)]
    moves = source.is_moving and target.animates
    for said in source.notes:
        note(said)
    frames = _count(image, bounds, note, moves=moves)
    kept = kept_of(image, pipeline, target, note)
    plays = plays_of(image) if moves else 1
    encoding = Encoding(
        target=target, quality=pipeline.quality, effort=pipeline.effort, max_bytes=pipeline.max_bytes, kept=kept,
        is_lossless=is_lossless, is_gif=image.format == "GIF", plays=plays,
        is_compact=image.mode in {"1", "P"}, **_jpeg_options(source, pipeline, target),
    )  # fmt: skip
    return _Job(
        pipeline=pipeline,
        encoding=encoding,
        bounds=bounds,
        note=note,
        frames=frames,
        moves=moves,
    )


def _jpeg_options(source: Source, pipeline: Pipeline, target: Format) -> dict[str, Any]:
    """Return a JPEG's chroma subsampling and tables: as requested, or like the source's."""
    if pipeline.sampling is not None or target.name != "JPEG" or source.jpeg is None:
        return {"sampling": pipeline.sampling}
    tables = getattr(source.image, "quantization", {})
    sampling = JpegImagePlugin.get_sampling(source.image)
    is_fine = sampling == 0 and source.image.mode == "RGB"
    is_finer = bool(tables) and sum(tables[min(tables)]) < _USUAL_TABLE
    return {"sampling": 0 if is_fine else None, "tables": tables if is_finer else None}


def _count(image: Image.Image, bounds: Bounds, note: Note, *, moves: bool) -> int:
    """Return the number of frames of the result. Raises: NotAnImage if they are too many or too large."""
    count = frames_of(image)
    if not moves:
        if count > 1:
            kind = {"TIFF": "pages", "MPO": "images", "HEIF": "images"}.get(image.format or "", "frames")
            note(f"only the first of {count} {kind} was kept")
        return 1
    if count > bounds.frames:
        hint = "To allow more frames, set COURIER_IMAGE_MAX_FRAMES on the worker."
        said = f"The image has {count} frames; at most {bounds.frames} are allowed."
        raise NotAnImage(said, hint=hint, reason=Reason.TOO_MANY_FRAMES)
    check_size(image.size, bounds, "The image has", count)
    return count


def _moving(source: Source, job: _Job) -> tuple[list[Image.Image], list[float]]:
    """Return the processed frames, and their durations in milliseconds."""
    if source.bits > _BITS:
        job.note(f"its {source.bits} bits a channel became {_BITS}")
    orientation = orientation_of(source.image)
    frames, times = [], []
    for frame, time in decoded_frames(source, job.note):
        times.append(time)
        frames.append(_done(_workable(upright(frame, orientation), job), job))
    return frames, times


def _still(source: Source, job: _Job) -> Image.Image:
    """Return the processed image of a file with one image, or its first."""
    image, whole = source.image, source.image.size
    orientation = orientation_of(image)
    is_converted = job.encoding.kept.foreign is not None
    pipeline = drafted(
        image,
        job.pipeline,
        is_sideways=orientation >= SIDEWAYS,
        is_converted=is_converted,
        most_pixels=1e6 * job.bounds.megapixels,
    )
    _check_decode(source, whole, job.bounds)
    image = decode(source, job.note)
    if source.bits > _BITS and not is_deep(image):
        job.note(f"its {source.bits} bits a channel became {_BITS}")
    # Pillow applies the orientation of a TIFF itself while decoding, and removes it.
    turned = upright(image, orientation_of(image) if image.format == "TIFF" else orientation)
    return _done(_workable(turned, job), replace(job, pipeline=pipeline))


def _check_decode(source: Source, whole: tuple[int, int], bounds: Bounds) -> None:
    """Check the limits before decoding. Raises: NotAnImage."""
    is_reducible = source.jpeg is not None and source.jpeg.is_single
    # With several scans, all coefficients are held in memory, even for a reduced decode.
    size = source.image.size if is_reducible else whole
    hint = "; a JPEG may be larger if thumbnail or resize comes first" if is_reducible else ""
    check_size(size, bounds, "The image has", hint=hint)


def _workable(image: Image.Image, job: _Job) -> Image.Image:
    """Convert to a mode that operations support: L, LA, RGB, RGBA, or deep grayscale if all of them support it."""
    foreign = job.encoding.kept.foreign
    if is_deep(image) and foreign and color.is_of_gray(foreign):
        # Profiles apply to 8 bits only.
        image = color.shallow(image, job.note)
    if is_deep(image):
        if foreign is not None:
            job.note("its color profile was removed")
        keeps = job.pipeline.keeps_depth and "I;16" in job.encoding.target.modes
        return image if keeps else color.shallow(image, job.note)
    if foreign is not None:
        image = color.in_srgb(image, foreign, job.note)
    is_gray = image.mode in {"1", "L", "LA", "La"}
    wanted = ("LA" if is_gray else "RGBA") if color.has_alpha(image) else ("L" if is_gray else "RGB")
    if image.mode == "L" and wanted == "LA":
        image = image.convert("RGBA")
    return image if image.mode == wanted else image.convert(wanted)


def _done(image: Image.Image, job: _Job) -> Image.Image:
    for step in job.pipeline.steps:
        apply, opaque_note = step.operation.apply, step.operation.opaque_note
        if opaque_note and color.is_see_through(image):
            job.note(opaque_note)
        check_size(step.size_after(image.size), job.bounds, "The result would have", job.frames)
        if apply:
            image = apply(image.convert("L") if image.mode == "1" else image, step.values)
    return image
