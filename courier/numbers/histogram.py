"""Histograms of at most ten bins of equal width with round edges, counted exactly."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import numpy as np

from courier.numbers.held_list import HeldList
from courier.numbers.integers import INT64_LIMIT, Array, as_array
from courier.numbers.response import Histogram
from courier.numbers.rounding import all_digits

MAX_BINS = 10
#: Bin widths are these numbers times a power of ten.
_ROUND = (1, 2, 5)
#: The most counted bins: beyond that, ten bins are merged into one.
MAX_TALLIED = 1_000
#: Counting begins with bins a hundred times narrower than the range of its sample, or than the sample's last digit if
#: that is 0: narrow bins can be merged, wide bins cannot be split.
_FINER = 2


def histogram(numbers: HeldList) -> Histogram:
    """Return the histogram of `numbers` with the narrowest round width that gives at most ten bins."""
    least, most = numbers.at(0), numbers.at(-1)
    counts = BinCounts(exponent_for(least, most, numbers.decimals))
    counts.add(as_array(numbers.units), numbers.decimals, least, most)
    return counts.histogram(least, most, numbers.decimals)


def exponent_for(least: int, most: int, decimals: int) -> int:
    """Return the exponent of the first bins for numbers between about `least` and `most`, in units of 10**-decimals."""
    return len(str(most - least)) - _FINER - 1 - decimals


class BinCounts:
    """Counts in bins of width 10**exponent, for numbers in pieces: a round histogram's bins are sums of these."""

    def __init__(self, exponent: int) -> None:
        self.exponent = exponent
        #: The lower edge of the first bin, in multiples of the width.
        self.first = 0
        self.counts: Array = np.zeros(0, dtype=np.int64)

    def add(self, units: Array, decimals: int, least: int, most: int) -> None:
        """Count numbers between `least` and `most`, in units of 10**-decimals."""
        while self._bin(most, decimals) - self._bin(least, decimals) >= MAX_TALLIED:
            self._coarsen()
        self._cover(self._bin(least, decimals), self._bin(most, decimals))
        if self._bin(least, decimals) == self._bin(most, decimals):
            self.counts[self._bin(least, decimals) - self.first] += len(units)
            return
        shift = self.exponent + decimals
        factor = 10 ** abs(shift)
        if factor * (1 if shift > 0 else max(abs(least), abs(most))) > INT64_LIMIT:
            units = units.astype(object)
        bins = units // factor if shift > 0 else units * factor
        self.counts += np.bincount((bins - self.first).astype(np.int64), minlength=len(self.counts))

    def merge(self, exponent: int, first: int, counts: Array) -> None:
        """Add the counts of others that began with the same exponent."""
        if not len(counts):
            return
        other = BinCounts(exponent)
        other.first, other.counts = first, counts
        while other.exponent < self.exponent:
            other._coarsen()
        while self.exponent < other.exponent:
            self._coarsen()
        self._cover(other.first, other.first + len(other.counts) - 1)
        while other.exponent < self.exponent:
            other._coarsen()
        start = other.first - self.first
        self.counts[start : start + len(other.counts)] += other.counts

    def is_coarse_for(self, least: int, most: int, decimals: int) -> bool:
        """Whether its bins are too wide for the histogram from `least` to `most`, in units of 10**-decimals."""
        return self.exponent > -decimals and 10 ** (self.exponent + decimals) > _width(least, most, 0)

    def histogram(self, least: int, most: int, decimals: int) -> Histogram:
        """Return the histogram of the counted numbers, from `least` to `most` in units of 10**-decimals."""
        finer = max(0, -self.exponent - decimals)
        decimals += finer
        low, high = least * 10**finer, most * 10**finer
        base = self.exponent + decimals
        width = _width(low, high, max(base, finer))
        first = low // width
        bins = high // width - first + 1
        counts = [0] * bins
        for place, number in enumerate(self.counts.tolist()):
            if number:
                counts[(self.first + place) * 10**base // width - first] += number
        return Histogram(edges=_edges(first, bins, width, decimals), counts=counts)

    def _bin(self, unit: int, decimals: int) -> int:
        shift = self.exponent + decimals
        factor: int = 10 ** abs(shift)
        return unit // factor if shift > 0 else unit * factor

    def _cover(self, low: int, high: int) -> None:
        """Extend the counts to the bins from `low` to `high`, merging bins if there are too many."""
        if not len(self.counts):
            self.first, self.counts = low, np.zeros(high - low + 1, dtype=np.int64)
            return
        exponent = self.exponent
        while max(high, self.first + len(self.counts) - 1) - min(low, self.first) >= MAX_TALLIED:
            self._coarsen()
            low, high = low // 10, high // 10
        before = max(0, self.first - low)
        after = max(0, high - (self.first + len(self.counts) - 1))
        if before or after or self.exponent > exponent:
            self.first, self.counts = self.first - before, np.pad(self.counts, (before, after))

    def _coarsen(self) -> None:
        self.exponent += 1
        before = self.first % 10
        self.first //= 10
        padded = np.pad(self.counts, (before, -(before + len(self.counts)) % 10))
        self.counts = padded.reshape(-1, 10).sum(axis=1)


def _width(least: int, most: int, lowest: int) -> int:
    """Return the narrowest round width for numbers from `least` to `most`, at least 10**lowest."""
    widths: Iterator[int] = (
        one * 10**power for power in count(max(lowest, len(str(most - least)) - 3)) for one in _ROUND
    )
    return next(width for width in widths if most // width - least // width < MAX_BINS)


def _edges(first: int, bins: int, width: int, decimals: int) -> list[str]:
    return [all_digits((first + place) * width, decimals) for place in range(bins + 1)]
