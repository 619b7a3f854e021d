"""The statistics of a list of numbers, exact: computed over the decimals that were typed.

Every number is an integer times one power of ten, so that sums and orders are those of integers. NumPy
takes over where a list is long and its integers are small enough for 64 bits; the results are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact
from fractions import Fraction
from functools import cached_property

import numpy as np

from courier.errors import InputRefused

#: From this length on NumPy is the faster way to order and to add.
FAST_FROM = 2_000
#: Sums stay below this, so that none wraps around in 64 bits.
_INT64_LIMIT = 2**63 - 1
#: Wide enough to shift any number of the grammar to any other's exponent; it raises rather than round.
_EXACT = Context(prec=5_000, Emax=999_999, Emin=-999_999, traps=[Inexact])


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A list of numbers as integers in units of 10**-decimals."""

    integers: Sequence[int]
    decimals: int

    def scaled(self, integer: int, parts: int = 1) -> Fraction:
        """Return the number that `integer` units, cut in `parts`, stand for."""
        return Fraction(integer, parts * 10**self.decimals)

    @cached_property
    def total(self) -> int:
        """The sum, in units."""
        return sum(self.integers) if self._array is None else int(self._array.sum())

    @cached_property
    def extremes(self) -> tuple[int, int]:
        """The least and the greatest, in units."""
        return min(self.integers), max(self.integers)

    @cached_property
    def middle(self) -> tuple[int, int]:
        """The two middle ones in order, in units; twice the same where the length is odd."""
        low, high = (len(self.integers) - 1) // 2, len(self.integers) // 2
        if self._array is None:
            ordered = sorted(self.integers)
            return ordered[low], ordered[high]
        ordered_array = np.partition(self._array, (low, high))
        return int(ordered_array[low]), int(ordered_array[high])

    @cached_property
    def _array(self) -> np.ndarray[tuple[int], np.dtype[np.int64]] | None:
        widest = max(abs(value) for value in self.extremes)
        if len(self.integers) < FAST_FROM or widest * len(self.integers) > _INT64_LIMIT:
            return None
        return np.array(self.integers, dtype=np.int64)


#: What can be asked of a list: one line each, in the order in which an answer shows them.
STATISTICS: dict[str, Callable[[Sample], Fraction | int]] = {
    "count": lambda sample: len(sample.integers),
    "sum": lambda sample: sample.scaled(sample.total),
    "min": lambda sample: sample.scaled(sample.extremes[0]),
    "max": lambda sample: sample.scaled(sample.extremes[1]),
    "range": lambda sample: sample.scaled(sample.extremes[1] - sample.extremes[0]),
    "mean": lambda sample: sample.scaled(sample.total, len(sample.integers)),
    "median": lambda sample: sample.scaled(sum(sample.middle), 2),
}


def summarise(values: Sequence[Decimal]) -> dict[str, Fraction | int]:
    """Return every statistic of `values` (at least one), by name, exactly.

    Raises: InputRefused if `values` is empty.
    """
    if not values:
        raise InputRefused("An empty list has no statistics.", hint="Send at least one number.")
    sample = _sample(values)
    return {name: statistic(sample) for name, statistic in STATISTICS.items()}


def _sample(values: Sequence[Decimal]) -> Sample:
    decimals = max(0, -min(int(value.as_tuple().exponent) for value in values))
    if decimals == 0:
        return Sample(integers=[int(value) for value in values], decimals=0)
    integers = [int(value.scaleb(decimals, _EXACT)) for value in values]
    return Sample(integers=integers, decimals=decimals)
