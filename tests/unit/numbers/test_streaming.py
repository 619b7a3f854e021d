"""Pieces in any order, and passes over parts in any number, know what is true of the whole list."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.numbers.brackets import MAX_KEPT, RankBracket, around
from courier.numbers.held_list import HeldList
from courier.numbers.histogram import BinCounts
from courier.numbers.streaming import OnePass

pieces = st.lists(
    st.tuples(
        st.lists(st.integers(-60, 60) | st.integers(-(2**70), 2**70), min_size=1, max_size=30), st.integers(0, 3)
    ),
    min_size=1,
    max_size=6,
)
Pieces = list[tuple[list[int], int]]


def whole(parts: Pieces) -> HeldList:
    """Return the list that the pieces make, in the finest of their units."""
    finest = max(decimals for _, decimals in parts)
    units = [unit * 10 ** (finest - decimals) for some, decimals in parts for unit in some]
    return HeldList(units=units, decimals=finest)


def made_pass(parts: Pieces, brackets: list[RankBracket], limit: int = MAX_KEPT) -> OnePass:
    """Make one pass over each piece alone, and merge them, the last first."""
    fresh = [[RankBracket(one.low, one.high) for one in brackets] for _ in parts]
    total = OnePass(brackets, BinCounts(0), limit=limit)
    for number, ((units, decimals), own) in reversed(list(enumerate(zip(parts, fresh, strict=True)))):
        one = OnePass(own, BinCounts(0), seed=number, limit=limit)
        one.add(units, decimals)
        total.merge(one)
    return total


def search(parts: Pieces, rank: int, bracket: RankBracket, limit: int = MAX_KEPT) -> tuple[Fraction, int]:
    """Look for a rank in as many passes as it takes; return its value and how many there were."""
    for passes in range(1, 60):
        made_pass(parts, [bracket], limit)
        found = bracket.value(rank)
        if found is not None:
            return found, passes
        bracket = bracket.next(rank)
    pytest.fail("no end")


@given(pieces)
def test_sums_and_extremes_are_those_of_the_whole_list(parts: Pieces) -> None:
    found, right = made_pass(parts, []), whole(parts)

    assert found.count == right.count
    assert (found.decimals, (found.units, found.squares)) == (right.decimals, right.sums)
    assert found.extremes == (Fraction(right.at(0), right.scale), Fraction(right.at(-1), right.scale))


@given(pieces, st.data())
def test_a_rank_is_found_wherever_the_first_bracket_was(parts: Pieces, data: st.DataObject) -> None:
    sample = whole(parts)
    rank = data.draw(st.integers(0, sample.count - 1))
    edges = st.none() | st.fractions(-70, 70, max_denominator=20) | st.integers(-70, 70).map(Fraction)
    low, high = data.draw(edges), data.draw(edges)
    if low is not None and high is not None and high < low:
        low, high = high, low

    found, _ = search(parts, rank, RankBracket(low, high), data.draw(st.integers(1_000, 5_000)))

    assert found == Fraction(sample.at(rank), sample.scale)


def test_a_good_sample_finds_a_median_in_one_pass_and_keeps_little() -> None:
    chosen = np.random.default_rng(3)
    values = np.sort(chosen.integers(-(10**6), 10**6, 200_001))
    bracket = around(np.sort(chosen.choice(values, 10_000)), 2, 0.5)

    found, passes = search([(values.tolist(), 2)], 100_000, bracket)

    assert (found, passes) == (Fraction(int(values[100_000]), 100), 1)
    assert len(bracket.all_kept()[0]) < 20_000


def test_a_list_of_two_values_needs_no_memory() -> None:
    values = np.array([5, 9] * 50_000)
    bracket = around(np.sort(values[:1000]), 0, 0.5)

    assert search([(values.tolist(), 0)], 50_000, bracket) == (Fraction(9), 1)
    assert bracket.kept == []


def test_no_more_is_kept_than_the_limit_and_large_numbers_count_for_many() -> None:
    plain, large = RankBracket(None, None), RankBracket(None, None)

    for _ in range(20):
        plain.add(np.arange(1000), 0, Random(1), 5000)
        large.add(np.array([10**30] * 1000, dtype=object), 0, Random(1), 5000)

    assert 2_000 < len(plain.all_kept()[0]) <= 5_000
    assert len(large.all_kept()[0]) <= 5_000 / 64
    assert plain.inside == large.inside == 20_000
