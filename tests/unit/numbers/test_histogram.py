from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.numbers.held_list import HeldList
from courier.numbers.histogram import MAX_BINS, histogram


@pytest.mark.parametrize(
    ("units", "decimals", "edges", "counts"),
    [
        ([1, 5, 22], 0, ["0", "5", "10", "15", "20", "25"], [1, 1, 0, 0, 1]),
        ([1, 2, 3], 1, ["0.1", "0.2", "0.3", "0.4"], [1, 1, 1]),
        ([-5, -1, 4], 0, ["-5", "-4", "-3", "-2", "-1", "0", "1", "2", "3", "4", "5"], [1, 0, 0, 0, 1, 0, 0, 0, 0, 1]),
        ([7], 0, ["7", "8"], [1]),
        ([0, 10**30], 0, None, [1, 0, 0, 0, 0, 1]),
    ],
)
def test_bins_have_round_edges(units: list[int], decimals: int, edges: list[str] | None, counts: list[int]) -> None:
    found = histogram(HeldList(units=units, decimals=decimals))

    assert edges is None or found.edges == edges
    assert found.counts == counts


@given(st.lists(st.integers(-(2**62), 2**62) | st.integers(-9, 9), min_size=1, max_size=50), st.integers(0, 4))
def test_every_number_is_counted_in_the_bin_that_holds_it(units: list[int], decimals: int) -> None:
    found = histogram(HeldList(units=units, decimals=decimals))
    edges = [Fraction(edge) for edge in found.edges]

    assert len(found.counts) <= MAX_BINS
    assert found.counts == [
        sum(low <= Fraction(unit, 10**decimals) < high for unit in units) for low, high in pairwise(edges)
    ]
    assert sum(found.counts) == len(units)
    assert found == histogram(HeldList(units=np.array(units, dtype=np.int64), decimals=decimals))
