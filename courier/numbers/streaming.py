"""One pass over a list too long for memory: exact counts and sums, and the results of the search's brackets.

Pieces may come in any order, and passes over parts of a list can be merged.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from random import Random

from courier.numbers.brackets import MAX_KEPT, RankBracket
from courier.numbers.histogram import BinCounts
from courier.numbers.integers import Array, as_array, sums


class OnePass:
    """Counts, sums and brackets of the pieces so far. Random choices depend on `seed` only."""

    def __init__(
        self, brackets: Sequence[RankBracket], bin_counts: BinCounts, *, seed: int = 0, limit: int = MAX_KEPT
    ) -> None:
        self.brackets = brackets
        self.bin_counts = bin_counts
        self._rng = Random(seed)  # noqa: S311  thins samples, guards nothing
        self._limit = limit
        self.count = 0
        #: The most decimals of any piece, the sum in units of 10**-decimals, and the sum of squares in their squares.
        self.decimals = self.units = self.squares = 0
        #: The least and the greatest number, once there is one.
        self.extremes: tuple[Fraction, Fraction] | None = None

    def add(self, units: Sequence[int] | Array, decimals: int) -> None:
        """Add a piece: at least one number, in units of 10**-decimals."""
        array = as_array(units)
        least, most = int(array.min()), int(array.max())
        self.take(len(array), decimals, *sums(array, least, most))
        self.widen(Fraction(least, 10**decimals), Fraction(most, 10**decimals))
        self.bin_counts.add(array, decimals, least, most)
        for bracket in self.brackets:
            bracket.add(array, decimals, self._rng, self._limit)

    def merge(self, other: OnePass) -> None:
        """Add a pass over another part, made with the same brackets."""
        self.take(other.count, other.decimals, other.units, other.squares)
        if other.extremes:
            self.widen(*other.extremes)
        self.bin_counts.merge(other.bin_counts.exponent, other.bin_counts.first, other.bin_counts.counts)
        for bracket, found in zip(self.brackets, other.brackets, strict=True):
            bracket.merge(found, self._rng, self._limit)

    def take(self, count: int, decimals: int, units: int, squares: int) -> None:
        """Add `count` numbers by their sum and the sum of their squares."""
        finest = max(self.decimals, decimals)
        own, others = 10 ** (finest - self.decimals), 10 ** (finest - decimals)
        self.count += count
        self.units = self.units * own + units * others
        self.squares = self.squares * own**2 + squares * others**2
        self.decimals = finest

    def widen(self, *values: Fraction) -> None:
        """Add values that may be the least or the greatest."""
        found = [*(self.extremes or ()), *values]
        self.extremes = min(found), max(found)
