"""A bracket knows the value of a rank exactly or not at all, and the next one is nearer to it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from courier.numbers.brackets import RankBracket, around
from courier.numbers.integers import Array, as_array

#: A piece of a list: integers in units of 10**-decimals, and `decimals`.
Piece = tuple[list[int], int]

pieces = st.lists(
    st.tuples(
        st.lists(st.integers(-6, 6) | st.integers(-(10**20), 10**20), min_size=1, max_size=20), st.integers(0, 2)
    ),
    min_size=1,
    max_size=4,
)
edges = st.none() | st.builds(Fraction, st.integers(-6, 6), st.sampled_from([1, 2, 10, 1_000]))


def filled(bracket: RankBracket, parts: Sequence[Piece], limit: int = 10_000) -> RankBracket:
    for units, decimals in parts:
        bracket.add(as_array(units), decimals, Random(1), limit)
    return bracket


def in_order(parts: Sequence[Piece]) -> list[Fraction]:
    return sorted(Fraction(unit, 10**decimals) for units, decimals in parts for unit in units)


@example([([1, 1, 2], 0), ([10, 15, 21], 1)], Fraction(1), Fraction(1))
@example([([0, 1, 2, 3], 0)], Fraction(1, 2), Fraction(5, 2))
@given(pieces, edges, edges)
def test_it_knows_the_values_from_edge_to_edge_and_no_others(
    parts: list[Piece], low: Fraction | None, high: Fraction | None
) -> None:
    if low is not None and high is not None and low > high:
        low, high = high, low
    values = in_order(parts)

    bracket = filled(RankBracket(low, high), parts)

    for rank, value in enumerate(values):
        is_within = (low is None or value >= low) and (high is None or value <= high)
        assert bracket.value(rank) == (value if is_within else None), rank
    assert bracket.end == sum(high is None or value <= high for value in values)


@example([([1, 2, 3, 4], 0)], [([2, 3, 3], 0)], Fraction(2), Fraction(3))
@given(pieces, pieces, edges, edges)
def test_brackets_of_two_parts_are_merged_into_that_of_both(
    first: list[Piece], second: list[Piece], low: Fraction | None, high: Fraction | None
) -> None:
    whole = filled(RankBracket(low, high), first + second)
    merged = filled(RankBracket(low, high), first)

    merged.merge(filled(RankBracket(low, high), second), Random(2), 10_000)

    ranks = range(len(in_order(first + second)))
    assert [merged.value(rank) for rank in ranks] == [whole.value(rank) for rank in ranks]
    assert merged.end == whole.end


@pytest.mark.parametrize("values", [range(20_000), [7] * 20_000, [number**2 for number in range(-9_999, 10_001)]])
def test_every_rank_is_found_by_narrowing_however_little_is_kept(values: Sequence[int]) -> None:
    parts = [(list(values)[start::3], 0) for start in range(3)]
    expected = in_order(parts)

    for rank in (0, 1, 9_999, 15_000, 19_999):
        bracket, passes = RankBracket(None, None), 0
        while (value := filled(bracket, parts, limit=1_000).value(rank)) is None:
            bracket, passes = bracket.next(rank), passes + 1
            assert passes < 8
        assert value == expected[rank]


@pytest.mark.parametrize(("values", "weight"), [(range(50_000), 1), ([2**70 + n for n in range(2_000)], 64)])
def test_it_keeps_a_sample_within_its_limit_in_which_long_numbers_weigh_more(
    values: Sequence[int], weight: int
) -> None:
    bracket = filled(RankBracket(None, None), [(list(values)[:700], 0), (list(values)[700:], 0)], limit=10_000)
    kept, _ = bracket.all_kept()

    assert 10_000 // weight // 4 < len(kept) <= 10_000 // weight
    assert {*map(int, kept)} <= {*values}
    assert len(kept) == pytest.approx(len(values) / bracket.stride, rel=0.3)
    assert bracket.inside == len(values)
    assert bracket.value(5) is None  # of a sample, no rank is known


@pytest.mark.parametrize("is_coarse_first", [True, False])
def test_parts_that_are_thinned_differently_are_one_sample_afterwards(*, is_coarse_first: bool) -> None:
    coarse = filled(RankBracket(None, None), [(list(range(16_000)), 0)], limit=1_500)
    fine = filled(RankBracket(None, None), [(list(range(16_000, 17_000)), 0)], limit=1_500)
    first, second = (coarse, fine) if is_coarse_first else (fine, coarse)

    first.merge(second, Random(3), 1_500)

    kept, _ = first.all_kept()
    assert first.inside == 17_000
    assert np.count_nonzero(kept < 16_000) == pytest.approx(16 * np.count_nonzero(kept >= 16_000), rel=0.6)


def test_around_a_quantile_reaches_further_the_smaller_the_sample() -> None:
    def reach(size: int, share: float) -> tuple[object, object]:
        ordered: Array = np.arange(size)
        found = around(ordered, 1, share, bounds=(Fraction(-5), Fraction(10**6)))
        return found.low, found.high

    assert reach(10_000, 0.5) == (480, 520)
    assert reach(400, 0.5) == (16, 24)
    assert reach(100, 0.05) == (-5, Fraction(25, 10))
    assert reach(100, 0.99)[1] == 10**6
    assert reach(0, 0.5) == (-5, 10**6)
