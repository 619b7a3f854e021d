"""A list of numbers that is held in memory.

Its numbers are Python's integers (from `courier.numbers.parser`) or NumPy's 64-bit integers (from
`courier.numbers.fast_parser`); the results are the same, to the last digit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from courier.numbers.integers import Array, sums

#: A statistic's value as numerator and denominator; None if the list has no such value.
Value = tuple[int, int] | None


@dataclass(frozen=True, kw_only=True)
class HeldList:
    """At least one number, as integers in units of 10**-decimals."""

    units: Sequence[int] | Array
    decimals: int

    @cached_property
    def count(self) -> int:
        """The number of numbers."""
        return len(self.units)

    @cached_property
    def scale(self) -> int:
        """The number of units in 1."""
        return int(10**self.decimals)

    @cached_property
    def ordered(self) -> Sequence[int] | Array:
        """The numbers in ascending order."""
        return np.sort(self.units) if isinstance(self.units, np.ndarray) else sorted(self.units)

    @cached_property
    def sums(self) -> tuple[int, int]:
        """The sum, in units, and the sum of squares, in units squared."""
        return sums(self.units, self.at(0), self.at(-1))

    def at(self, place: int) -> int:
        """Return the number at a place in order, in units."""
        return int(self.ordered[place])

    @property
    def mode(self) -> Value:
        """The most frequent value, the least of several; None if no value occurs twice."""
        if isinstance(self.ordered, np.ndarray):
            repeated = np.flatnonzero(self.ordered[1:] == self.ordered[:-1])
            if not len(repeated):
                return None if self.count > 1 else (self.at(0), self.scale)
            # Each run of consecutive indexes is one value; the first of the longest runs is the least.
            starts = np.flatnonzero(np.diff(repeated, prepend=-2) != 1)
            longest = int(np.argmax(np.diff(starts, append=len(repeated))))
            return self.at(int(repeated[starts[longest]])), self.scale
        # Counter keeps the order of insertion, and max returns the first of equals: the least.
        unit, times = max(Counter(self.ordered).items(), key=lambda pair: pair[1])
        return (unit, self.scale) if times > 1 or self.count == 1 else None
