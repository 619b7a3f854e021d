"""Exact statistics of a list of numbers: computed from the decimals as typed, rounded only when written.

The same table serves lists in memory (`courier.numbers.held_list`) and streamed lists (`courier.numbers.search`): a
statistic needs the count, the sums and the numbers at some places in order, which a stream is searched for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import Protocol, TypeVar

from courier.errors import Rejected
from courier.numbers.held_list import HeldList, Value
from courier.numbers.rounding import Figure, figure, root


class Numbers(Protocol):
    """What statistics may use of any list, in memory or streamed; numbers are integers in units."""

    @property
    def count(self) -> int:
        """The number of numbers."""

    @property
    def scale(self) -> int:
        """The number of units in 1."""

    @property
    def sums(self) -> tuple[int, int]:
        """The sum, in units, and the sum of squares, in units squared."""

    def at(self, place: int) -> int:
        """Return the number at a place in order, in units; places below 0 count from the end."""


N = TypeVar("N", bound=Numbers)
Statistic = Callable[[Numbers], Value]


def quantile(numbers: Numbers, share: tuple[int, int]) -> tuple[int, int]:
    """Return the quantile of a share such as (3, 4), interpolated between two neighbors.

    Source: type 7 of Hyndman and Fan (1996), the default of R and NumPy.
    """
    numerator, denominator = share
    place, part = divmod((numbers.count - 1) * numerator, denominator)
    low = numbers.at(place)
    between = part * (numbers.at(place + 1) - low) if part else 0
    return denominator * low + between, denominator * numbers.scale


_Q1, _MEDIAN, _Q3 = (partial(quantile, share=(quarters, 4)) for quarters in (1, 2, 3))


def _iqr(numbers: Numbers) -> Value:
    (low, unit), (high, _) = _Q1(numbers), _Q3(numbers)
    return high - low, unit


def _variance(numbers: Numbers) -> Value:
    if numbers.count == 1:
        return None
    total, squares = numbers.sums
    return numbers.count * squares - total**2, numbers.count * (numbers.count - 1) * numbers.scale**2


def _stdev(numbers: Numbers) -> Value:
    variance = _variance(numbers)
    return None if variance is None else root(*variance)


#: The statistics of any list, in the order of the response. Variance and standard deviation are those of a sample
#: (n - 1).
STATISTICS: Mapping[str, Statistic] = {
    "count": lambda numbers: (numbers.count, 1),
    "sum": lambda numbers: (numbers.sums[0], numbers.scale),
    "min": lambda numbers: (numbers.at(0), numbers.scale),
    "max": lambda numbers: (numbers.at(-1), numbers.scale),
    "range": lambda numbers: (numbers.at(-1) - numbers.at(0), numbers.scale),
    "mean": lambda numbers: (numbers.sums[0], numbers.count * numbers.scale),
    "median": _MEDIAN,
    "q1": _Q1,
    "q3": _Q3,
    "iqr": _iqr,
    "variance": _variance,
    "stdev": _stdev,
}
#: The statistics of lists in memory only (see docs/adr/0029-no-mode-of-long-lists.md).
HELD_ONLY: Mapping[str, Callable[[HeldList], Value]] = {"mode": lambda numbers: numbers.mode}
_HELD: Mapping[str, Callable[[HeldList], Value]] = {**STATISTICS, **HELD_ONLY}


def of_any(percentiles: Iterable[str] = ()) -> dict[str, Statistic]:
    """Return the statistics of a list of any length, with percentiles."""
    return {**STATISTICS, **_quantiles(percentiles)}


def of_held(percentiles: Sequence[str] = ()) -> Mapping[str, Callable[[HeldList], Value]]:
    """Return the statistics of a list in memory, with percentiles."""
    return {**_HELD, **_quantiles(percentiles)} if percentiles else _HELD


def _quantiles(percentiles: Iterable[str]) -> dict[str, Statistic]:
    shares = {f"p{percent}": (Fraction(percent) / 100).as_integer_ratio() for percent in percentiles}
    return {name: partial(quantile, share=share) for name, share in shares.items()}


def summarize(numbers: N, statistics: Mapping[str, Callable[[N], Value]]) -> dict[str, Figure | None]:
    """Return statistics by name, as figures; None if the list has no such value.

    Raises: Rejected if the list is empty.
    """
    if not numbers.count:
        raise Rejected("An empty list has no statistics.", hint="Send at least one number.")
    values = {name: statistic(numbers) for name, statistic in statistics.items()}
    return {name: None if value is None else figure(*value) for name, value in values.items()}


class _Probe:
    """Records the places that statistics need."""

    scale = 1
    sums = (0, 0)

    def __init__(self, count: int) -> None:
        self.count = count
        self.places: set[int] = set()

    def at(self, place: int) -> int:
        self.places.add(place % self.count)
        return 0


def places(count: int, statistics: Mapping[str, Statistic]) -> list[int]:
    """Return the places (from 0), in order, that statistics need in a list of `count` numbers, without its ends."""
    probe = _Probe(count)
    for statistic in statistics.values():
        statistic(probe)
    return sorted(probe.places - {0, count - 1})
