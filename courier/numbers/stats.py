"""Exact statistics of a list of numbers: computed over the decimals as typed, rounded only when written.

Every number is an integer times one power of ten, so that sums, orders and squares are those of integers.
Lists come from `courier.numbers.parser` as Python's own, or from `courier.numbers.fast_parser` as NumPy's of 64 bits;
the results are the same, to the last digit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement
from typing import Any

import numpy as np

from courier.errors import Rejected
from courier.numbers.rounding import Figure, figure, root

Array = np.ndarray[tuple[int], np.dtype[Any]]
#: A statistic's value as numerator and denominator; None where a list has no such thing.
Value = tuple[int, int] | None

#: What a 64-bit integer holds.
_INT64_LIMIT = 2**63 - 1
#: Squares are made of pieces of so many bits: four million products can be added without overflow.
_LIMB_BITS = 20
#: How many numbers are worked on at a time: what the processor's cache holds.
_BLOCK = 2**14


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
    def total(self) -> int:
        """The sum, in units."""
        if isinstance(self.units, np.ndarray):
            return total_of(self.units, max(abs(self.at(0)), abs(self.at(-1))))
        return sum(self.units)

    @cached_property
    def deviation(self) -> int:
        """The count times the sum of squares of the differences from the mean, in units squared: n Σd² - (Σd)²."""
        pivot = self.at(self.count // 2)
        if not isinstance(self.units, np.ndarray):
            differences = [unit - pivot for unit in self.units]
            return self.count * sum(one * one for one in differences) - sum(differences) ** 2
        reach = max(self.at(-1) - pivot, pivot - self.at(0))
        if reach > _INT64_LIMIT:
            return Sample(units=self.units.tolist(), decimals=self.decimals).deviation
        blocks = (self.units[start : start + _BLOCK] for start in range(0, self.count, _BLOCK))
        squares = sum(sum_of_squares(block - pivot, reach) for block in blocks)
        return self.count * squares - (self.total - self.count * pivot) ** 2

    def at(self, place: int) -> int:
        """Return the one at a place in order, in units."""
        return int(self.ordered[place])

    def quantile(self, quarters: int) -> Value:
        """Return the value below which so many quarters lie: between two neighbors, in proportion.

        Source: type 7 of Hyndman and Fan (1996), which R and NumPy take by default.
        """
        place, part = divmod((self.count - 1) * quarters, 4)
        low = self.at(place)
        between = part * (self.at(place + 1) - low) if part else 0
        return 4 * low + between, 4 * self.scale

    def tally(self, width: int, first: int, bins: int) -> list[int]:
        """Return how many lie in each of `bins` bins of `width` units, the first of which begins at `first` widths."""
        if isinstance(self.units, np.ndarray) and width <= _INT64_LIMIT:
            return [int(number) for number in np.bincount(self.units // width - first, minlength=bins)]
        counts = Counter(int(unit) // width - first for unit in self.units)
        return [counts[place] for place in range(bins)]

    @cached_property
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


def _variance(sample: Sample) -> Value:
    if sample.count == 1:
        return None
    return sample.deviation, sample.count * (sample.count - 1) * sample.scale**2


def _stdev(sample: Sample) -> Value:
    variance = _variance(sample)
    return None if variance is None else root(*variance)


def _iqr(sample: Sample) -> Value:
    (low, scale), (high, _) = sample.quantile(1) or (0, 1), sample.quantile(3) or (0, 1)
    return high - low, scale


#: What can be asked of a list: one line each, in the order in which an answer shows them. Variance and standard
#: deviation are those of a sample (n - 1).
STATISTICS: dict[str, Callable[[Sample], Value]] = {
    "count": lambda sample: (sample.count, 1),
    "sum": lambda sample: (sample.total, sample.scale),
    "min": lambda sample: (sample.at(0), sample.scale),
    "max": lambda sample: (sample.at(-1), sample.scale),
    "range": lambda sample: (sample.at(-1) - sample.at(0), sample.scale),
    "mean": lambda sample: (sample.total, sample.count * sample.scale),
    "median": lambda sample: sample.quantile(2),
    "q1": lambda sample: sample.quantile(1),
    "q3": lambda sample: sample.quantile(3),
    "iqr": _iqr,
    "variance": _variance,
    "stdev": _stdev,
    "mode": lambda sample: sample.mode,
}


def summarize(sample: Sample) -> dict[str, Figure | None]:
    """Return every statistic of `sample`, by name, as it is written; None where there is none.

    Raises: Rejected if it is empty.
    """
    if not sample.count:
        raise Rejected("An empty list has no statistics.", hint="Send at least one number.")
    values = {name: statistic(sample) for name, statistic in STATISTICS.items()}
    return {name: None if value is None else figure(*value) for name, value in values.items()}


def total_of(array: Array, reach: int) -> int:
    """Return the exact sum of an array whose numbers are no further than `reach` from 0."""
    if reach * len(array) <= _INT64_LIMIT:
        return int(array.sum())
    return (int((array >> 32).sum()) << 32) + int((array & 0xFFFFFFFF).sum())


def sum_of_squares(array: Array, reach: int) -> int:
    """Return the exact sum of squares of an array whose numbers, a few million at most, are in `reach` of 0."""
    if reach * reach * len(array) <= _INT64_LIMIT:
        return int(array @ array)
    sizes = np.abs(array)
    shifts = range(0, reach.bit_length(), _LIMB_BITS)
    limbs = [(sizes >> shift) & (2**_LIMB_BITS - 1) for shift in shifts]
    products = combinations_with_replacement(zip(shifts, limbs, strict=True), 2)
    return sum(int(one @ other) << (low + high + (low != high)) for (low, one), (high, other) in products)
