"""Exact statistics of a list too long for memory, in one pass and bounded memory.

Counts, sums and sums of squares are exact integers. A quantile is found by its rank: a sample says between
which two values it lies, almost certainly; one pass counts what is below them and keeps what lies inside,
and shows whether it was right. If not, or if too much lies inside, another pass looks where it must be.
Pieces may come in any order, and passes over parts of a list are merged.
Source of the method: Munro and Paterson, Selection and sorting with limited storage (1980).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import ceil, floor, sqrt
from random import Random
from typing import cast

import numpy as np

from courier.numbers.fast_parser import INT64_LIMIT, Array
from courier.numbers.histogram import BinCounts
from courier.numbers.stats import sum_of_squares, total_of

#: How much of a random sample a bracket holds on each side of a quantile: five standard deviations of what it may
#: be wrong by, but no less and no more than this.
LEAST_REACH = 0.01
_MOST_REACH = 0.25
_DEVIATIONS = 2.5
#: How many values a bracket keeps at most, of 8 bytes each; one that needs more than 64 bits counts as so many (the
#: longest of the grammar takes 700 bytes). No limit may be under a thousand: a sample of nothing leads nowhere.
MAX_KEPT = 1_000_000
_LARGE = 64


class RankBracket:
    """Where the value of one rank is looked for: from one value to another, or without end where one is None."""

    def __init__(
        self,
        low: Fraction | None,
        high: Fraction | None,
        *,
        surely: tuple[Fraction | None, Fraction | None] = (None, None),
    ) -> None:
        self.low, self.high = low, high
        #: Between which values the rank is known to be.
        self._surely = surely
        self.below = self.at_low = self.inside = self.at_high = 0
        #: What lies inside; where `stride` is above 1, about every so-manieth of it, at random.
        self.kept: list[tuple[Array, int]] = []
        self.stride = 1
        #: How much of the limit `kept` takes.
        self._weight = 0

    def add(self, units: Array, decimals: int, chance: Random, limit: int) -> None:
        """Count what concerns this bracket of a piece, in units of 10**-decimals, and keep up to `limit` of it."""
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
        self._keep([(_thinned(within, self.stride, chance), decimals)], chance, limit)

    def merge(self, other: RankBracket, chance: Random, limit: int) -> None:
        """Take in what the same bracket has found in another part of the list."""
        self.below += other.below
        self.at_low += other.at_low
        self.inside += other.inside
        self.at_high += other.at_high
        stride = max(self.stride, other.stride)
        self.kept = [(_thinned(held, stride // self.stride, chance), decimals) for held, decimals in self.kept]
        self.stride, self._weight = stride, sum(_weight(held) for held, _ in self.kept)
        more = [(_thinned(held, stride // other.stride, chance), decimals) for held, decimals in other.kept]
        self._keep(more, chance, limit)

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
        kept, decimals = self.together()
        return Fraction(int(np.partition(kept, place)[place]), 10**decimals)

    def next(self, rank: int) -> RankBracket:
        """Return where to look in another pass for a rank that is not known."""
        place = rank - self.below - self.at_low
        if place < 0:
            return RankBracket(self._surely[0], self.low, surely=(self._surely[0], self.low))
        if place >= self.inside:
            return RankBracket(self.high, self._surely[1], surely=(self.high, self._surely[1]))
        kept, decimals = self.together()
        return around(np.sort(kept), decimals, place / self.inside, surely=(self.low, self.high))

    def holds(self, rank: int) -> bool:
        """Whether the value of a rank is inside, whether or not it is known."""
        return 0 <= rank - self.below - self.at_low < self.inside

    def together(self) -> tuple[Array, int]:
        """Return all that is kept, in one unit."""
        decimals = max((own for _, own in self.kept), default=0)
        arrays = [_rescaled(held, decimals - own) for held, own in self.kept]
        return np.concatenate(arrays) if arrays else np.zeros(0, dtype=np.int64), decimals

    def _keep(self, more: Sequence[tuple[Array, int]], chance: Random, limit: int) -> None:
        more = [(held, decimals) for held, decimals in more if len(held)]
        self.kept += more
        self._weight += sum(_weight(held) for held, _ in more)
        while self._weight > limit:
            held, decimals = self.together()
            held = _thinned(held, 2, chance)
            self.kept, self._weight = [(held, decimals)], _weight(held)
            self.stride *= 2


def as_array(units: Sequence[int] | Array) -> Array:
    """Return integers as an array: of 64 bits where these are enough, else of Python's own."""
    if isinstance(units, np.ndarray):
        return units
    is_small = not units or (max(units) <= INT64_LIMIT and min(units) >= -INT64_LIMIT)
    return np.array(units, dtype=np.int64 if is_small else object)


def around(
    ordered: Array, decimals: int, share: float, *, surely: tuple[Fraction | None, Fraction | None] = (None, None)
) -> RankBracket:
    """Return the bracket around the value below which `share` lies, by an ordered sample of what is surely there."""
    size = len(ordered)
    reach = min(_MOST_REACH, max(LEAST_REACH, _DEVIATIONS / sqrt(max(size, 1))))
    low, high = floor((share - reach) * size), ceil((share + reach) * size)
    return RankBracket(
        Fraction(int(ordered[low]), 10**decimals) if low >= 0 and size else surely[0],
        Fraction(int(ordered[high]), 10**decimals) if high < size else surely[1],
        surely=surely,
    )


class OnePass:
    """What is known of some pieces: counts, sums, and brackets. What it does by chance depends on `seed` only."""

    def __init__(
        self, brackets: Sequence[RankBracket], tally: BinCounts, *, seed: int = 0, limit: int = MAX_KEPT
    ) -> None:
        self.brackets = brackets
        self.tally = tally
        self._chance = Random(seed)  # noqa: S311  thins samples, guards nothing
        self._limit = limit
        self.count = 0
        #: The most decimals of any piece, the sum in units of 10**-decimals, and the sum of squares in their squares.
        self.decimals = self.units = self.squares = 0
        #: The least and the greatest, once there is a number.
        self.extremes: tuple[Fraction, Fraction] | None = None

    def add(self, units: Sequence[int] | Array, decimals: int) -> None:
        """Take in a piece: at least one number, in units of 10**-decimals."""
        array = as_array(units)
        least, most = int(array.min()), int(array.max())
        self.take(len(array), decimals, *_sums(array, least, most))
        self.widen(Fraction(least, 10**decimals), Fraction(most, 10**decimals))
        self.tally.add(array, decimals, least, most)
        for bracket in self.brackets:
            bracket.add(array, decimals, self._chance, self._limit)

    def merge(self, other: OnePass) -> None:
        """Take in a pass over another part, made with the same brackets."""
        self.take(other.count, other.decimals, other.units, other.squares)
        if other.extremes:
            self.widen(*other.extremes)
        self.tally.merge(other.tally.exponent, other.tally.first, other.tally.counts)
        for bracket, found in zip(self.brackets, other.brackets, strict=True):
            bracket.merge(found, self._chance, self._limit)

    def take(self, count: int, decimals: int, units: int, squares: int) -> None:
        """Take in so many numbers by their sum and the sum of their squares."""
        finest = max(self.decimals, decimals)
        own, others = 10 ** (finest - self.decimals), 10 ** (finest - decimals)
        self.count += count
        self.units = self.units * own + units * others
        self.squares = self.squares * own**2 + squares * others**2
        self.decimals = finest

    def widen(self, *values: Fraction) -> None:
        """Take in values that may be the least or the greatest."""
        found = [*(self.extremes or ()), *values]
        self.extremes = min(found), max(found)

    @property
    def total(self) -> Fraction:
        """The sum."""
        return Fraction(self.units, 10**self.decimals)

    @property
    def variance(self) -> Fraction | None:
        """The variance of a sample (n - 1); None for a single number."""
        if self.count == 1:
            return None
        spread = self.count * self.squares - self.units**2
        return Fraction(spread, self.count * (self.count - 1) * 100**self.decimals)


def _sums(array: Array, least: int, most: int) -> tuple[int, int]:
    """Return the exact sum and the exact sum of squares of integers between two."""
    if array.dtype == object:
        return int(array.sum()), int(array @ array)
    reach, size = max(abs(least), abs(most)), len(array)
    total = total_of(array, reach)
    if reach * reach * size <= INT64_LIMIT:
        return total, sum_of_squares(array, reach)
    # Differences from the middle are smaller: often small enough to be squared at once.
    middle = (least + most) // 2
    squares = sum_of_squares(array - middle, max(most - middle, middle - least))
    return total, squares + 2 * middle * total - size * middle * middle


def _edge(value: Fraction, decimals: int, rounded: Callable[[Fraction], int]) -> tuple[int, bool]:
    """Return a value in units of 10**-decimals, rounded to the bracket's inside, and whether it is exactly that."""
    scaled = value * 10**decimals
    whole = rounded(scaled)
    return whole, scaled == whole


def _weight(held: Array) -> int:
    return len(held) * (_LARGE if held.dtype == object else 1)


def _thinned(units: Array, stride: int, chance: Random) -> Array:
    """Return about every so-manieth of `units` (a power of 2), at random; a copy, so that no more is held."""
    if stride == 1:
        return units
    drawn = np.frombuffer(chance.randbytes(4 * len(units)), dtype="<u4")
    return cast("Array", units[drawn & (stride - 1) == 0].copy())


def _rescaled(units: Array, decimals: int) -> Array:
    """Return integers in units that are finer by so many decimals: of Python's own where 64 bits are too few."""
    if decimals == 0 or not len(units):
        return units
    factor = 10**decimals
    if max(abs(int(units.max())), abs(int(units.min()))) * factor > INT64_LIMIT:
        units = units.astype(object)
    return cast("Array", units * factor)
