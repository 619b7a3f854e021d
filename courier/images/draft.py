"""Decode a JPEG no larger than needed, and in gray if the result is gray."""

from __future__ import annotations

import math
from dataclasses import replace

from PIL import Image

from courier.images.operation import Box
from courier.images.operations import OPERATIONS
from courier.images.pipeline import Pipeline


def drafted(
    image: Image.Image, pipeline: Pipeline, *, is_sideways: bool, is_converted: bool, most_pixels: float
) -> Pipeline:
    """Set up a reduced decode of an image; return the equivalent pipeline for the reduced image.

    `is_sideways`: its orientation swaps width and height. `is_converted`: its profile will be applied. `most_pixels`:
    the limit on what is decoded.
    """
    if image.format != "JPEG" or not pipeline.steps:
        return pipeline
    mode = _mode(image, pipeline, is_converted=is_converted)
    reduced, size = _reduced(image.size, pipeline, is_sideways=is_sideways, most_pixels=most_pixels)
    if mode or size != image.size:
        image.draft(mode, size)
    return reduced


def _mode(image: Image.Image, pipeline: Pipeline, *, is_converted: bool) -> str | None:
    """Return the mode to decode in; None: its own. Grayscale if the pipeline needs no more and the colors are sRGB."""
    is_gray = pipeline.steps[0].operation.needs_only_gray and image.mode in {"RGB", "L"} and not is_converted
    return "L" if is_gray else None


def _reduced(size: Box, pipeline: Pipeline, *, is_sideways: bool, most_pixels: float) -> tuple[Pipeline, Box]:
    """Return the pipeline for a reduced decode, and the minimum size of that.

    It is twice the size of the result, or its very size if more would exceed the limit.
    """
    steps = list(pipeline.steps)
    place = 1 if steps[0].operation.needs_only_gray and len(steps) > 1 else 0
    # The arguments refer to the full image, not to its draft.
    whole = size[::-1] if is_sideways else size
    exact = steps[place].operation.scale(whole, steps[place].values)
    if exact is None:
        return pipeline, size
    steps[place] = replace(steps[place], operation=OPERATIONS["resize"], values=exact)
    share = max(exact["size"].width / whole[0], exact["size"].height / whole[1])
    twice = math.ceil(2 * size[0] * share), math.ceil(2 * size[1] * share)
    once = max(1, round(size[0] * share)), max(1, round(size[1] * share))
    return Pipeline(steps=tuple(steps)), twice if _decoded_pixels(size, twice) <= most_pixels else once


def _decoded_pixels(size: Box, least: Box) -> int:
    """Return how many pixels are decoded for a size: of each side the whole, a half, a quarter or an eighth."""
    scale = min(size[0] // least[0], size[1] // least[1])
    part = next((one for one in (8, 4, 2) if scale >= one), 1)
    return -(-size[0] // part) * -(-size[1] // part)
