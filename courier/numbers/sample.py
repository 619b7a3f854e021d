"""A list of numbers that is held in memory.

Lists come from `courier.numbers.parser` as Python's own integers, or from `courier.numbers.fast_parser` as NumPy's of
64 bits; the results are the same, to the last digit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from courier.numbers.integers import Array, sums

#: A statistic's value as numerator and denominator; None where a list has no such thing.
Value = tuple[int, int] | None


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Numbers as integers in units of 10**-decimals: at least one."""

    units: Sequence[int] | Array
    decimals: int

    @cached_property
    def count(self) -> int:
        """How many there are."""
        return len(self.units)

    @cached_property
    def scale(self) -> int:
        """How many units make 1."""
        return int(10**self.decimals)

    @cached_property
    def ordered(self) -> Sequence[int] | Array:
        """All, the least first."""
        return np.sort(self.units) if isinstance(self.units, np.ndarray) else sorted(self.units)

    @cached_property
    def sums(self) -> tuple[int, int]:
        """The sum, in units, and the sum of squares, in units squared."""
        return sums(self.units, self.at(0), self.at(-1))

    def at(self, place: int) -> int:
        """Return the one at a place in order, in units."""
        return int(self.ordered[place])

    @property
    def mode(self) -> Value:
        """The most frequent value, the least of several; None if no value comes twice."""
        if isinstance(self.ordered, np.ndarray):
            repeated = np.flatnonzero(self.ordered[1:] == self.ordered[:-1])
            if not len(repeated):
                return None if self.count > 1 else (self.at(0), self.scale)
            # Each run of neighbors among them is one value, and the first of the longest runs the least.
            starts = np.flatnonzero(np.diff(repeated, prepend=-2) != 1)
            longest = int(np.argmax(np.diff(starts, append=len(repeated))))
            return self.at(int(repeated[starts[longest]])), self.scale
        # Counter keeps the order of first sight, and max the first of equals: the least.
        unit, times = max(Counter(self.ordered).items(), key=lambda pair: pair[1])
        return (unit, self.scale) if times > 1 or self.count == 1 else None
