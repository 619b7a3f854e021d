"""Exponents of growth: slopes between neighboring sizes where both axes are logarithmic, and where they bend.

A quantity that grows as a power of the size is a straight line there, whose slope is the exponent: 0 does not grow,
1 is in proportion, 2 is quadratic.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

#: A slope above this is more than in proportion, by more than noise.
STEEP = 1.15
#: A slope that is larger than the one before it by more than this is a bend.
RISE = 0.3


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A quantity at some sizes. Raises: ValueError unless sizes ascend, and all of at least two values are positive."""

    sizes: Sequence[float]
    values: Sequence[float]

    def __post_init__(self) -> None:
        """Check what the class promises."""
        if len(self.sizes) != len(self.values) or len(self.sizes) < 2:
            raise ValueError(f"{len(self.sizes)} sizes with {len(self.values)} values are no curve.")
        if any(size >= following for size, following in pairwise(self.sizes)):
            raise ValueError(f"The sizes {self.sizes} do not ascend.")
        if min(*self.sizes, *self.values) <= 0:
            raise ValueError("Only positive sizes and values have logarithms.")

    @property
    def growth(self) -> float:
        """Return the last value, the first one being 1."""
        return self.values[-1] / self.values[0]


@dataclass(frozen=True, kw_only=True)
class Bend:
    """The size from which a curve is steeper; its slope up to there, if it begins before, and from there."""

    size: float
    before: float | None
    after: float


def slopes(curve: Curve) -> list[float]:
    """Return the exponents between neighboring sizes, one fewer than the sizes."""
    points = [(math.log(size), math.log(value)) for size, value in zip(curve.sizes, curve.values, strict=True)]
    return [(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in pairwise(points)]


def exponent(curve: Curve) -> float:
    """Return the exponent of the power that fits all points best (least squares of the logarithms)."""
    x, y = ([math.log(number) for number in axis] for axis in (curve.sizes, curve.values))
    middle_x, middle_y = math.fsum(x) / len(x), math.fsum(y) / len(y)
    spread = math.fsum((one - middle_x) ** 2 for one in x)
    return math.fsum((one - middle_x) * (other - middle_y) for one, other in zip(x, y, strict=True)) / spread


def bends(curve: Curve) -> list[Bend]:
    """Return the sizes from which the slope exceeds `STEEP`, where it did not before, or rises by more than `RISE`."""
    found = slopes(curve)
    before: list[float | None] = [None, *found[:-1]]
    at = zip(curve.sizes, before, found, strict=False)
    return [Bend(size=size, before=one, after=after) for size, one, after in at if _is_bend(one, after)]


def _is_bend(before: float | None, after: float) -> bool:
    if before is None:
        return after > STEEP
    return after > STEEP >= before or after - before > RISE
