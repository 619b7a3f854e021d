"""Arguments of operations, such as `800x600:cover:north`: parsed and checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from courier.images.formats import TARGETS

#: The largest side of a result, in pixels. Every format except AVIF and WebP supports it.
MAX_SIDE = 30_000

#: The keyword for linear light.
LINEAR = "linear"
FITS = ("inside", "outside", "cover", "contain", "fill")
GRAVITIES = (
    "center", "north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest",
)  # fmt: skip

#: The chroma subsamplings of a JPEG: none, horizontal, horizontal and vertical.
SAMPLINGS = ("444", "422", "420")

#: The prefix of a maximum file size, and its units in bytes.
_MAX = "max-"
_UNITS = {"kB": 1_000, "MB": 1_000_000}

Values = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Size:
    """The size of a result: width and height in pixels (one may be None), or a percentage."""

    width: int | None = None
    height: int | None = None
    percent: float | None = None

    @property
    def words(self) -> str:
        """The size, for a file name."""
        return f"{self.percent:g}pc" if self.percent else f"{self.width or ''}x{self.height or ''}"


def nothing(text: str) -> Values:
    """Parse the empty value of an operation without arguments. Raises: ValueError."""
    if text:
        raise ValueError
    return {}


def number(name: str, low: float, high: float, default: float | None = None) -> Callable[[str], Values]:
    """Return a parser of a number in a range."""

    def read(text: str) -> Values:
        if text and not re.fullmatch(r"[+-]?[0-9]{1,6}(\.[0-9]{1,6})?", text):
            raise ValueError
        value = default if not text and default is not None else float(text)
        if not low <= value <= high:
            raise ValueError
        return {name: value}

    return read


def whole(name: str, low: int, high: int, default: int | None = None) -> Callable[[str], Values]:
    """Return a parser of an integer in a range."""

    def read(text: str) -> Values:
        if not text and default is not None:
            return {name: default}
        if not re.fullmatch("[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise ValueError
        return {name: int(text)}

    return read


def _size(text: str) -> Size:
    if match := re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,3})?)%", text):
        percent = float(match[1])
        if percent <= 0:
            raise ValueError
        return Size(percent=percent)
    match = re.fullmatch(r"([0-9]{1,5})?(?:x([0-9]{1,5})?)?", text)
    sides = [int(side) if side else None for side in match.groups()] if match else []
    if not any(sides) or not all(side is None or 1 <= side <= MAX_SIDE for side in sides):
        raise ValueError
    return Size(width=sides[0], height=sides[1])


def resize(text: str) -> Values:
    """Parse a size, a fit, a gravity and linear light. Raises: ValueError."""
    size, *rest = text.split(":")
    is_linear = rest[-1:] == [LINEAR]
    rest = rest[:-1] if is_linear else rest
    fit, gravity, *more = [*rest, "", ""][: max(2, len(rest))]
    if more:
        raise ValueError
    values = {"size": _size(size), "fit": _among(FITS, fit), "gravity": _among(GRAVITIES, gravity)}
    return {**values, LINEAR: True} if is_linear else values


def thumbnail(text: str) -> Values:
    """Parse a size. Raises: ValueError."""
    return {"size": _size(text or "200")}


def crop(text: str) -> Values:
    """Parse a size and a position. Raises: ValueError."""
    if match := re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})\+([0-9]{1,5})\+([0-9]{1,5})", text):
        width, height, left, top = map(int, match.groups())
        gravity = ""
    else:
        size, _, gravity = text.partition(":")
        match = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", size)
        width, height = map(int, match.groups()) if match else (0, 0)
        gravity, left, top = _among(GRAVITIES, gravity), 0, 0
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise ValueError
    return {"width": width, "height": height, "left": left, "top": top, "gravity": gravity}


def rotate(text: str) -> Values:
    """Parse degrees and a color. Raises: ValueError."""
    degrees, _, background = text.partition(":")
    return {"degrees": number("degrees", -360, 360)(degrees)["degrees"], "background": _color(background)}


def border(text: str) -> Values:
    """Parse a width and a color. Raises: ValueError."""
    width, _, color = text.partition(":")
    return {**whole("width", 1, 5_000)(width), "color": _color(color or "black")}


def convert(text: str) -> Values:
    """Parse a format, a quality, an effort or a maximum file size, and a JPEG's subsampling. Raises: ValueError."""
    name, *rest = text.split(":")
    target = TARGETS[_among(tuple(TARGETS), name or "none")]
    if len(rest) > (2 if target.name == "JPEG" else 1 if target.has_quality or target.effort_option else 0):
        raise ValueError
    if rest and target.effort_option:
        return {"target": target.name, "quality": None, "effort": whole("effort", 1, 9)(rest[0])["effort"]}
    is_limited = bool(rest) and rest[0].startswith(_MAX)
    values: dict[str, Any] = {
        "target": target.name,
        "quality": whole("quality", 1, 100)(rest[0])["quality"] if rest and not is_limited else None,
    }
    if is_limited:
        values["max_bytes"] = _bytes(rest[0].removeprefix(_MAX))
    if rest[1:]:
        values["sampling"] = SAMPLINGS.index(_among(SAMPLINGS, rest[1] or "none"))
    return values


def _bytes(text: str) -> int:
    """Parse a file size such as `200kB` or `1.5MB`; return bytes. Raises: ValueError."""
    match = re.fullmatch(r"([0-9]{1,5}(?:\.[0-9]{1,3})?)(kB|MB)", text)
    size_bytes = round(float(match[1]) * _UNITS[match[2]]) if match else 0
    if size_bytes <= 0:
        raise ValueError
    return size_bytes


def _among(known: tuple[str, ...], text: str) -> str:
    if text and text not in known:
        raise ValueError
    return text or known[0]


def _color(text: str) -> str:
    """Return a color as a name or #rrggbb; empty if `text` is empty."""
    if not re.fullmatch(r"(?:#[0-9a-fA-F]{6}|[a-z]{3,20})?", text) or (text.isalpha() and text not in COLORS):
        raise ValueError
    return text


COLORS = (
    "black", "white", "gray", "silver", "red", "maroon", "yellow", "olive", "lime", "green", "aqua", "teal", "blue",
    "navy", "fuchsia", "purple", "orange", "gold", "pink", "brown", "transparent",
)  # fmt: skip
