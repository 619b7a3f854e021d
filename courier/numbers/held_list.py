"""A list of numbers that is held in memory.

Its numbers are Python's integers (from `courier.numbers.parser`) or NumPy's 64-bit integers (from
`courier.numbers.fast_parser`); the results are the same, to the last digit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

import numpy as np

from courier.numbers.integers import Array, sort, sums

#: A statistic's value as numerator and denominator; None if the list has no such value.
Value = tuple[int, int] | None


@dataclass(frozen=True, kw_only=True)
class HeldList:
    """At least one number, as integers in units of 10**-decimals."""

    units: Sequence[int] | Array
    decimals: int
    #: The number of numbers.
    count: int = field(init=False, repr=False, compare=False)
    #: The number of units in 1.
    scale: int = field(init=False, repr=False, compare=False)
    #: The numbers in ascending order.
    ordered: Sequence[int] | Array = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Set what every statistic needs; a cached property of Python 3.11 takes a lock, and a microsecond."""
        ordered = sort(self.units) if isinstance(self.units, np.ndarray) else sorted(self.units)
        vars(self).update(count=len(self.units), scale=10**self.decimals, ordered=ordered)

    @cached_property
    def sums(self) -> tuple[int, int]:
        """The sum, in units, and the sum of squares, in units squared."""
        return sums(self.units, self.at(0), self.at(-1))

    def at(self, place: int) -> int:
        """Return the number at a place in order, in units."""
        return int(self.ordered[place])

    @property
    def mode(self) -> Value:
        """The most frequent value, the least of several; None if several values occur once each."""
        return (int(self.modes[0]), self.scale) if len(self.modes) else None

    @cached_property
    def modes(self) -> Sequence[int] | Array:
        """All most frequent values, in units and ascending; none if several values occur once each."""
        if self.count == 1:
            return [self.at(0)]
        if isinstance(self.ordered, np.ndarray):
            repeated = np.flatnonzero(self.ordered[1:] == self.ordered[:-1])
            # Each run of consecutive indexes is one value.
            starts = np.flatnonzero(np.diff(repeated, prepend=-2) != 1)
            lengths = np.diff(starts, append=len(repeated))
            longest = starts[lengths == lengths.max(initial=0)]
            return cast("Array", self.ordered[repeated[longest]])
        if len(set(self.ordered)) == self.count:  # far faster than to count
            return []
        counts = Counter(self.ordered)  # keeps the order of insertion
        most = max(counts.values())
        return [unit for unit, times in counts.items() if times == most]
