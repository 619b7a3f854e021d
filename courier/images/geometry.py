"""Sizes and positions of results and boxes."""

from __future__ import annotations

import math

from courier.images.arguments import Size, Values


def target(size: tuple[int, int], wanted: Size) -> tuple[int, int]:
    """Return a size in pixels for an image; a missing side is proportional to the other."""
    if wanted.percent:
        return times(size, wanted.percent / 100)
    width, height = wanted.width, wanted.height
    if width and height:
        return width, height
    share = width / size[0] if width else (height or 1) / size[1]
    across, down = times(size, share)
    return width or across, height or down


def turned(size: tuple[int, int], degrees: float) -> tuple[int, int]:
    """Return the size of an image after a rotation."""
    sine, cosine = abs(math.sin(math.radians(degrees))), abs(math.cos(math.radians(degrees)))
    return math.ceil(size[0] * cosine + size[1] * sine), math.ceil(size[0] * sine + size[1] * cosine)


def planned_size(size: tuple[int, int], values: Values) -> tuple[int, int]:
    """Return the size of an image after a resize."""
    wanted: Size = values["size"]
    width, height = target(size, wanted)
    if values["fit"] not in {"inside", "outside"} or not (wanted.width and wanted.height):
        return width, height
    ratios = width / size[0], height / size[1]
    return times(size, max(ratios) if values["fit"] == "outside" else min(ratios))


def thumbnail_size(size: tuple[int, int], values: Values) -> tuple[int, int]:
    """Return the size of an image's thumbnail."""
    wanted: Size = values["size"]
    if wanted.percent:
        width, height = target(size, wanted)
    else:
        width, height = wanted.width or wanted.height or 1, wanted.height or wanted.width or 1
    return times(size, min(1.0, width / size[0], height / size[1]))


def times(size: tuple[int, int], share: float) -> tuple[int, int]:
    """Return a scaled size of at least one pixel."""
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))


def place(outer: tuple[int, int], inner: tuple[int, int], gravity: str) -> tuple[int, int]:
    """Return the position of a box in a larger one, in whole pixels."""
    left, top = corner(outer, inner, gravity)
    return int(left), int(top)


def corner(outer: tuple[float, float], inner: tuple[float, float], gravity: str) -> tuple[float, float]:
    """Return the position of a box in a larger one."""
    left = 0.0 if "west" in gravity else 1.0 if "east" in gravity else 0.5
    top = 0.0 if "north" in gravity else 1.0 if "south" in gravity else 0.5
    return max(0.0, (outer[0] - inner[0]) * left), max(0.0, (outer[1] - inner[1]) * top)
