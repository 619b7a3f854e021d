"""Exact statistics of a list of numbers: computed over the decimals as typed, rounded only when written.

One table serves a list that is held (`courier.numbers.sample`) and one that is streamed (`courier.numbers.search`): a
statistic looks at count, sums, and numbers at some places in order, and these places are searched for in a stream.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import partial
from typing import Protocol, TypeVar

from courier.errors import Rejected
from courier.numbers.rounding import Figure, figure, root
from courier.numbers.sample import Sample, Value


class Numbers(Protocol):
    """What statistics may look at of any list, held or streamed; numbers are integers in units."""

    @property
    def count(self) -> int:
        """How many there are."""

    @property
    def scale(self) -> int:
        """How many units make 1."""

    @property
    def sums(self) -> tuple[int, int]:
        """The sum, in units, and the sum of squares, in units squared."""

    def at(self, place: int) -> int:
        """Return the one at a place in order, in units; places below 0 count from the end."""


N = TypeVar("N", bound=Numbers)
Statistic = Callable[[Numbers], Value]


def quantile(numbers: Numbers, share: tuple[int, int]) -> tuple[int, int]:
    """Return the value below which a share, such as (3, 4), lies: between two neighbors, in proportion.

    Source: type 7 of Hyndman and Fan (1996), which R and NumPy take by default.
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


#: What can be asked of any list: one line each, in the order in which an answer shows them. Variance and standard
#: deviation are those of a sample (n - 1).
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
#: What a list must be held for: it cannot be had in bounded memory.
HELD_ONLY: Mapping[str, Callable[[Sample], Value]] = {"mode": lambda sample: sample.mode}


def of_any(percentiles: Iterable[str] = ()) -> dict[str, Statistic]:
    """Return the statistics of a list of any length, and some percentiles."""
    return {**STATISTICS, **_quantiles(percentiles)}


def of_held(percentiles: Iterable[str] = ()) -> dict[str, Callable[[Sample], Value]]:
    """Return the statistics of a list that is held, and some percentiles."""
    return {**STATISTICS, **HELD_ONLY, **_quantiles(percentiles)}


def _quantiles(percentiles: Iterable[str]) -> dict[str, Statistic]:
    shares = {f"p{percent}": (Fraction(percent) / 100).as_integer_ratio() for percent in percentiles}
    return {name: partial(quantile, share=share) for name, share in shares.items()}


def summarize(numbers: N, statistics: Mapping[str, Callable[[N], Value]]) -> dict[str, Figure | None]:
    """Return statistics by name, as they are written; None where there is none.

    Raises: Rejected if the list is empty.
    """
    if not numbers.count:
        raise Rejected("An empty list has no statistics.", hint="Send at least one number.")
    values = {name: statistic(numbers) for name, statistic in statistics.items()}
    return {name: None if value is None else figure(*value) for name, value in values.items()}


class _Probe:
    """Notes at which places statistics look."""

    scale = 1
    sums = (0, 0)

    def __init__(self, count: int) -> None:
        self.count = count
        self.places: set[int] = set()

    def at(self, place: int) -> int:
        self.places.add(place % self.count)
        return 0


def places(count: int, statistics: Mapping[str, Statistic]) -> list[int]:
    """Return the places (from 0) at which statistics look in a list of so many numbers, between its ends, in order."""
    probe = _Probe(count)
    for statistic in statistics.values():
        statistic(probe)
    return sorted(probe.places - {0, count - 1})
