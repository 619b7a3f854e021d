"""How the numbers of a list lie: at most ten bins of equal width with round edges, counted exactly."""

from __future__ import annotations

from itertools import count

from courier.answers import Histogram
from courier.figures import all_digits
from courier.summary import Sample

MAX_BINS = 10
#: Widths are these times a power of ten.
_ROUND = (1, 2, 5)


def histogram(sample: Sample) -> Histogram:
    """Return the bins of `sample`, with the narrowest round width that makes ten or fewer of them."""
    least, most = sample.at(0), sample.at(-1)
    width = next(
        round_one * 10**power
        for power in count(max(0, len(str(most - least)) - 3))
        for round_one in _ROUND
        if most // (round_one * 10**power) - least // (round_one * 10**power) < MAX_BINS
    )
    first = least // width
    bins = most // width - first + 1
    return Histogram(
        edges=[all_digits((first + place) * width, sample.decimals) for place in range(bins + 1)],
        counts=sample.tally(width, first, bins),
    )
