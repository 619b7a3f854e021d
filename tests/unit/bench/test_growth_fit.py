from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.growth.fit import Bend, Curve, bends, exponent, slopes

SIZES = (1, 10, 100, 1000)


def curve(*values: float) -> Curve:
    return Curve(sizes=SIZES[: len(values)], values=values)


def shown(found: Sequence[Bend]) -> list[tuple[float, float | None, float]]:
    return [(bend.size, bend.before and round(bend.before, 9), round(bend.after, 9)) for bend in found]


@pytest.mark.parametrize("power", [-1, 0, 0.5, 1, 2])
def test_a_power_has_its_exponent_everywhere(power: float) -> None:
    found = curve(*(3 * size**power for size in SIZES))

    assert slopes(found) == pytest.approx([power] * 3)
    assert exponent(found) == pytest.approx(power)


@given(st.lists(st.floats(1e-6, 1e9), min_size=4, max_size=4), st.floats(1e-3, 1e3))
def test_a_unit_does_not_change_exponents(values: list[float], unit: float) -> None:
    found, scaled = curve(*values), curve(*(value * unit for value in values))

    assert slopes(scaled) == pytest.approx(slopes(found), abs=1e-6)
    assert exponent(scaled) == pytest.approx(exponent(found), abs=1e-6)


@given(st.lists(st.floats(1e-6, 1e9), min_size=4, max_size=4))
def test_the_exponent_of_all_lies_between_those_of_neighbors(values: list[float]) -> None:
    found = curve(*values)

    assert min(slopes(found)) - 1e-9 <= exponent(found) <= max(slopes(found)) + 1e-9


def test_sizes_need_not_be_evenly_spaced() -> None:
    assert slopes(Curve(sizes=[1, 2, 20], values=[1, 4, 40])) == pytest.approx([2, 1])


def test_a_straight_line_does_not_bend() -> None:
    assert bends(curve(*SIZES)) == []


def test_a_fixed_cost_bends_where_growth_outweighs_it() -> None:
    assert shown(bends(curve(1, 1, 1, 10))) == [(100, 0.0, 1.0)]


def test_growth_that_is_more_than_in_proportion_from_the_start_bends_at_the_first_size() -> None:
    assert shown(bends(curve(1, 100, 10_000))) == [(1, None, 2.0)]


def test_a_curve_that_stays_steep_bends_once() -> None:
    assert [bend.size for bend in bends(curve(1, 10, 1000, 100_000))] == [10]


def test_a_slope_that_creeps_over_the_limit_bends_there() -> None:
    values = [1.0, 10, 10 * 10**1.1, 10 * 10**1.1 * 10**1.2]

    assert [bend.size for bend in bends(curve(*values))] == [100]


def test_a_curve_that_flattens_does_not_bend() -> None:
    assert bends(curve(1, 10, 20, 20)) == []


def test_a_gain_that_ends_bends() -> None:
    assert [bend.size for bend in bends(Curve(sizes=[1, 2, 4], values=[8, 4, 4]))] == [2]


@given(st.lists(st.floats(1e-3, 1e3), min_size=4, max_size=4))
def test_every_steep_slope_follows_a_bend(values: list[float]) -> None:
    found = curve(*values)
    starts = [bend.size for bend in bends(found)]

    for (size, _), slope in zip(pairwise(SIZES), slopes(found), strict=True):
        assert slope <= 1.15 or any(start <= size for start in starts)


@pytest.mark.parametrize(
    ("sizes", "values"),
    [([1], [1]), ([1, 2], [1]), ([2, 1], [1, 1]), ([1, 1], [1, 1]), ([0, 1], [1, 1]), ([1, 2], [0, 1])],
)
def test_what_has_no_slopes_is_no_curve(sizes: list[float], values: list[float]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Curve(sizes=sizes, values=values)
