"""The statistics of a streamed list: make passes over it until every number that they need is known.

A pass counts the numbers below each bracket and keeps those inside, which shows whether a place in order is inside.
If it is not, or if too many numbers are inside, another pass searches a better bracket.
Source of the method: Munro and Paterson, Selection and sorting with limited storage (1980).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from random import Random

from courier.errors import ResponseTimeout
from courier.numbers import parser
from courier.numbers.brackets import RankBracket
from courier.numbers.histogram import exponent_for
from courier.numbers.plan import Plan
from courier.numbers.response import Histogram
from courier.numbers.rounding import Figure
from courier.numbers.stats import Statistic, places, summarize
from courier.numbers.streaming import OnePass

#: More passes than any list needs, however bad its sample.
MAX_PASSES = 100


def summarize_stream(
    plan: Plan, make_pass: Callable[[Plan], OnePass], statistics: Mapping[str, Statistic], *, limit: int
) -> tuple[dict[str, Figure | None], Histogram]:
    """Return the statistics and the histogram, with as many passes as necessary: usually one.

    Raises: NotANumberList if there is no number; and what `make_pass` raises.
    """
    first = make_pass(plan)
    if not first.extremes:
        raise parser.empty()
    found = Streamed(first, first.extremes, statistics)
    for _ in range(MAX_PASSES):
        wanted = found.next_plan()
        if wanted is None:
            return summarize(found, statistics), found.histogram()
        found.take(make_pass(wanted), limit)
    raise ResponseTimeout(
        "The partial results of the workers do not match.", hint="Check that all workers run the same version."
    )


class Streamed:
    """A list of which only the numbers that `statistics` need are held; complete once `next_plan` returns None."""

    def __init__(
        self, first: OnePass, extremes: tuple[Fraction, Fraction], statistics: Mapping[str, Statistic]
    ) -> None:
        self._bin_counts, self._decimals = first.bin_counts, first.decimals
        self.count, self.scale = first.count, 10**first.decimals
        self.sums = first.units, first.squares
        least, most = (int(value * self.scale) for value in extremes)
        self._known = {0: least, self.count - 1: most}
        #: The unknown places, in order, each with the bracket in which it is searched.
        self._open = {place: _bracket_for(place, first.brackets) for place in places(self.count, statistics)}

    def at(self, place: int) -> int:
        """Return the number at a place in order, in units."""
        return self._known[place % self.count]

    def histogram(self) -> Histogram:
        """Return the histogram."""
        return self._bin_counts.histogram(self.at(0), self.at(-1), self._decimals)

    def next_plan(self) -> Plan | None:
        """Return the plan of the next pass; None if everything is known."""
        for place, bracket in list(self._open.items()):
            value = bracket.value(place)
            if value is not None:
                self._known[place] = int(value * self.scale)
                del self._open[place]
        if not self._open and not self._bin_counts.is_coarse_for(self.at(0), self.at(-1), self._decimals):
            return None
        self._open = _narrowed(self._open)
        return Plan.of(exponent_for(self.at(0), self.at(-1), self._decimals), self._brackets)

    def take(self, found: OnePass, limit: int) -> None:
        """Add the results of the pass that `next_plan` has planned."""
        self._bin_counts = found.bin_counts
        for bracket, more in zip(self._brackets, found.brackets, strict=True):
            bracket.merge(more, Random(0), limit)  # noqa: S311  thins samples, guards nothing

    @property
    def _brackets(self) -> list[RankBracket]:
        return list(dict.fromkeys(self._open.values()))


def _bracket_for(place: int, brackets: Sequence[RankBracket]) -> RankBracket:
    """Return the first of `brackets` (in ascending order) that does not end below a place."""
    return next((one for one in brackets if place < one.end), brackets[-1] if brackets else RankBracket(None, None))


def _narrowed(unknown: Mapping[int, RankBracket]) -> dict[int, RankBracket]:
    """Return the next bracket of each place; neighbors in the same bracket share the next one."""
    chosen: dict[int, RankBracket] = {}
    for place, bracket in unknown.items():
        together = unknown.get(place - 1) is bracket and bracket.holds(place - 1) and bracket.holds(place)
        chosen[place] = chosen[place - 1] if together else bracket.next(place)
    return chosen
