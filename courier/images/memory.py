"""Estimate the memory that the work on an image takes, from its header: pixels, operations and formats.

`python -m bench.memory --all` shows it beside what is taken.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import IO, Any

from PIL import Image

from courier.images.arguments import LINEAR
from courier.images.draft import drafted
from courier.images.formats import FORMATS
from courier.images.operation import Box, Step
from courier.images.pipeline import Pipeline, parse
from courier.images.probe import format_of, is_moving

# Bytes a pixel of an opaque image of colors, which has 4 itself.

#: While operations work, by their names, and others.
OF_OPERATIONS = {
    "sepia": 13, "brightness": 13, "contrast": 14, "saturation": 13, "blur": 13, "sharpen": 13,
    "vignette": 14, "strip-metadata": 5, "crop": 6, "convert": 5,
}  # fmt: skip
OF_OTHERS = 9
OF_LINEAR_LIGHT = 16
#: While formats are written, also with transparency, and others.
OF_FORMATS = {"GIF": (18, 22), "WEBP": (11, 30), "AVIF": (30, 37), "TIFF": (11, 14), "PNG": (7, 10)}
OF_OTHER_FORMATS = (5, 16)
#: As long as an image is held, which the decoded one is until the end.
HELD = 4
#: While an image is decoded, and all of one whose scans are held first.
DECODED, PROGRESSIVE = 5, 8

#: What operations take beside that with transparency, and with shades of gray alone.
TRANSPARENT, GRAY = 1.5, 0.3
#: What makes colors, or wants them: operations and formats.
COLORFUL = {"sepia", "contrast", "rotate", "border", "watermark", "logo", "WEBP", "AVIF"}


def needs(order: Mapping[str, Any], source: IO[bytes]) -> float:
    """Return about how many megabytes the work on an image takes. Raises: Rejected; what Pillow raises."""
    content_bytes = source.seek(0, 2)
    source.seek(0)
    with Image.open(source, formats=tuple(FORMATS)) as image:
        most_pixels = order["megapixels"] * 1e6
        return needed_megabytes(image, parse(order["operations"]), most_pixels) + 2 * content_bytes / 1e6


def needed_megabytes(image: Image.Image, pipeline: Pipeline, most_pixels: float) -> float:
    """Return about how many megabytes the work on an opened image takes, its file apart. May prepare a draft."""
    moves, whole = is_moving(image), math.prod(image.size)
    target = pipeline.target(format_of(image), moving=moves)
    if not moves:
        is_converted = "icc_profile" in image.info
        pipeline = drafted(image, pipeline, is_sideways=False, is_converted=is_converted, most_pixels=most_pixels)
    size, share = image.size, _share(image)
    most, held = math.prod(size) * DECODED * share, 0.0
    source = math.prod(size) * HELD * share
    for step in pipeline.steps:
        share = max(share, 1.0) if step.name in COLORFUL or LINEAR in step.values else share
        most, size = max(most, _of_step(step, size) * share + held), step.size_after(size)
        held = source if step.operation.apply else held
    frames = getattr(image, "n_frames", 1) if moves and FORMATS[target].animates else 1
    most += (frames - 1) * math.prod(size) * DECODED
    written = math.prod(size) * frames * _of_format(target, share) + held
    is_progressive = "progressive" in image.info
    return max(most, written, whole * PROGRESSIVE * is_progressive) / 1e6


def _of_step(step: Step, size: Box) -> float:
    each = OF_LINEAR_LIGHT if LINEAR in step.values else OF_OPERATIONS.get(step.name, OF_OTHERS)
    return each * max(math.prod(size), math.prod(step.size_after(size)))


def _of_format(name: str, share: float) -> float:
    opaque, transparent = OF_FORMATS.get(name, OF_OTHER_FORMATS)
    if share > 1:
        return transparent
    return opaque if name in COLORFUL else opaque * share


def _share(image: Image.Image) -> float:
    """Return what an image takes beside one of opaque colors."""
    if image.mode in {"1", "L", "I;16"}:
        return GRAY
    is_transparent = image.mode in {"LA", "RGBA", "PA", "La", "RGBa"} or "transparency" in image.info
    return TRANSPARENT if is_transparent else 1.0
