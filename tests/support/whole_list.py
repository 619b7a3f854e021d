"""The statistics of a list that is held in memory, to which those of a list in parts are compared."""

from __future__ import annotations

from collections.abc import Sequence

from courier.numbers import parser
from courier.numbers.held_list import HeldList
from courier.numbers.histogram import histogram
from courier.numbers.response import Histogram
from courier.numbers.rounding import Figure
from courier.numbers.stats import of_held, summarize

Found = tuple[dict[str, Figure | None], Histogram]


def of_the_whole(text: str, percentiles: Sequence[str] = ()) -> Found:
    """Return what a list has of both: statistics but for the mode, and the histogram."""
    units, decimals = parser.read(text)
    sample = HeldList(units=units, decimals=decimals)
    figures = summarize(sample, of_held(percentiles))
    figures.pop("mode")
    return figures, histogram(sample)
