"""The search for the number of one rank in a list that is not held: brackets around it, and what passes find there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import ceil, floor, sqrt
from random import Random
from typing import cast

import numpy as np

from courier.numbers.integers import Array, together

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

    @property
    def end(self) -> int:
        """How many are not above it: the first rank that is."""
        return self.below + self.at_low + self.inside + self.at_high

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
        return together(self.kept)

    def _keep(self, more: Sequence[tuple[Array, int]], chance: Random, limit: int) -> None:
        more = [(held, decimals) for held, decimals in more if len(held)]
        self.kept += more
        self._weight += sum(_weight(held) for held, _ in more)
        while self._weight > limit:
            held, decimals = self.together()
            held = _thinned(held, 2, chance)
            self.kept, self._weight = [(held, decimals)], _weight(held)
            self.stride *= 2


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
