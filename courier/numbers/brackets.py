"""Find the number of a given rank in a list that is not held in memory, by narrowing brackets around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import ceil, floor, sqrt
from random import Random
from typing import cast

import numpy as np

from courier.numbers.integers import Array, in_common_unit

#: The share of a sample that a bracket covers on each side of a quantile: four standard deviations of its error if the
#: sample is random, within these bounds.
LEAST_REACH = 0.01
_MOST_REACH = 0.25
_DEVIATIONS = 2.0
#: The most values that a bracket keeps, of 8 bytes each. A value of more than 64 bits counts as `_LARGE` values (the
#: longest takes 700 bytes). A limit must be at least 1,000, for a useful sample.
MAX_KEPT = 1_000_000
_LARGE = 64


class RankBracket:
    """The interval in which the value of a rank is searched; None: unbounded."""

    def __init__(
        self,
        low: Fraction | None,
        high: Fraction | None,
        *,
        bounds: tuple[Fraction | None, Fraction | None] = (None, None),
    ) -> None:
        self.low, self.high = low, high
        #: The interval that is known to contain the value.
        self._bounds = bounds
        self.below = self.at_low = self.inside = self.at_high = 0
        #: Values inside the bracket; if `stride` > 1, a random 1-in-`stride` sample.
        self.kept: list[tuple[Array, int]] = []
        self.stride = 1
        #: The share of the limit that `kept` uses.
        self._weight = 0

    @property
    def end(self) -> int:
        """The number of values up to and including its upper end: the first rank above it."""
        return self.below + self.at_low + self.inside + self.at_high

    def add(self, units: Array, decimals: int, rng: Random, limit: int) -> None:
        """Count a piece's numbers, in units of 10**-decimals, and keep up to `limit` of those inside."""
        inside = None
        if self.low is not None:
            edge, is_exact = _edge(self.low, decimals, ceil)
            self.below += int(np.count_nonzero(units < edge))
            self.at_low += int(np.count_nonzero(units == edge)) if is_exact else 0
            inside = units > edge if is_exact else units >= edge
        if self.high is not None:
            edge, is_exact = _edge(self.high, decimals, floor)
            if is_exact and self.high != self.low:
                self.at_high += int(np.count_nonzero(units == edge))
            lower = units < edge if is_exact else units <= edge
            inside = lower if inside is None else inside & lower
        within = units if inside is None else units[inside]
        self.inside += len(within)
        self._keep([(_thinned(within, self.stride, rng), decimals)], rng, limit)

    def merge(self, other: RankBracket, rng: Random, limit: int) -> None:
        """Add the results of the same bracket in another part of the list."""
        self.below += other.below
        self.at_low += other.at_low
        self.inside += other.inside
        self.at_high += other.at_high
        stride = max(self.stride, other.stride)
        self.kept = [(_thinned(held, stride // self.stride, rng), decimals) for held, decimals in self.kept]
        self.stride, self._weight = stride, sum(_weight(held) for held, _ in self.kept)
        more = [(_thinned(held, stride // other.stride, rng), decimals) for held, decimals in other.kept]
        self._keep(more, rng, limit)

    def value(self, rank: int) -> Fraction | None:
        """Return the value of a rank (from 0), or None if this bracket does not know it."""
        place = rank - self.below
        if place < 0:
            return None
        if place < self.at_low:
            return self.low
        place -= self.at_low
        if place >= self.inside:
            return self.high if place < self.inside + self.at_high else None
        if self.stride > 1:
            return None
        kept, decimals = self.all_kept()
        return Fraction(int(np.partition(kept, place)[place]), 10**decimals)

    def next(self, rank: int) -> RankBracket:
        """Return the bracket for the next pass, for a rank that is not known yet."""
        place = rank - self.below - self.at_low
        if place < 0:
            return RankBracket(self._bounds[0], self.low, bounds=(self._bounds[0], self.low))
        if place >= self.inside:
            return RankBracket(self.high, self._bounds[1], bounds=(self.high, self._bounds[1]))
        kept, decimals = self.all_kept()
        return around(np.sort(kept), decimals, place / self.inside, bounds=(self.low, self.high))

    def holds(self, rank: int) -> bool:
        """Whether the value of a rank is inside, known or not."""
        return 0 <= rank - self.below - self.at_low < self.inside

    def all_kept(self) -> tuple[Array, int]:
        """Return all kept values in a common unit."""
        return in_common_unit(self.kept)

    def thin(self, rng: Random) -> None:
        """Keep a random half of the kept values."""
        held, decimals = self.all_kept()
        held = _thinned(held, 2, rng)
        self.kept, self._weight = [(held, decimals)], _weight(held)
        self.stride *= 2

    def _keep(self, more: Sequence[tuple[Array, int]], rng: Random, limit: int) -> None:
        more = [(held, decimals) for held, decimals in more if len(held)]
        self.kept += more
        self._weight += sum(_weight(held) for held, _ in more)
        while self._weight > limit:
            self.thin(rng)


def around(
    ordered: Array,
    decimals: int,
    share: float,
    *,
    bounds: tuple[Fraction | None, Fraction | None] = (None, None),
    least_reach: float = LEAST_REACH,
) -> RankBracket:
    """Return the bracket around the quantile `share`, estimated from an ordered sample of the values in `bounds`."""
    size = len(ordered)
    reach = min(_MOST_REACH, max(least_reach, _DEVIATIONS / sqrt(max(size, 1))))
    low, high = floor((share - reach) * size), ceil((share + reach) * size)
    return RankBracket(
        Fraction(int(ordered[low]), 10**decimals) if low >= 0 and size else bounds[0],
        Fraction(int(ordered[high]), 10**decimals) if high < size else bounds[1],
        bounds=bounds,
    )


def _edge(value: Fraction, decimals: int, rounded: Callable[[Fraction], int]) -> tuple[int, bool]:
    """Return a value in units of 10**-decimals, rounded towards the bracket's inside, and whether that is exact."""
    scaled = value * 10**decimals
    whole = rounded(scaled)
    return whole, scaled == whole


def _weight(held: Array) -> int:
    return len(held) * (_LARGE if held.dtype == object else 1)


def _thinned(units: Array, stride: int, rng: Random) -> Array:
    """Return a random 1-in-`stride` sample of `units` (`stride` is a power of 2); a copy, to free the rest."""
    if stride == 1:
        return units
    drawn = np.frombuffer(rng.randbytes(4 * len(units)), dtype="<u4")
    return cast("Array", units[drawn & (stride - 1) == 0].copy())
