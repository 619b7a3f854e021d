"""A list that is held is ordered, and knows its sums and its most frequent values, in Python as in NumPy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.numbers.held_list import HeldList

Make = Callable[[Sequence[int]], HeldList]


def of_integers(units: Sequence[int]) -> HeldList:
    return HeldList(units=units, decimals=2)


def of_array(units: Sequence[int]) -> HeldList:
    return HeldList(units=np.array(units, dtype=np.int64), decimals=2)


both = pytest.mark.parametrize("make", [of_integers, of_array])


@both
@given(units=st.lists(st.integers(-3, 3) | st.integers(-(2**62), 2**62), min_size=1, max_size=40))
def test_it_has_order_sums_and_all_modes(make: Make, units: list[int]) -> None:
    counts = Counter(units)
    most = max(counts.values())

    held = make(units)

    assert [held.at(place) for place in range(held.count)] == sorted(units)
    assert held.at(-1) == max(units)
    assert held.sums == (sum(units), sum(unit**2 for unit in units))
    modes = sorted(unit for unit, times in counts.items() if times == most) if most > 1 or len(units) == 1 else []
    assert [int(unit) for unit in held.modes] == modes


@both
@pytest.mark.parametrize(("units", "mode"), [([5], (5, 100)), ([9, 3, 9, 3, 7], (3, 100)), ([1, 2, 3], None)])
def test_the_mode_is_the_least_of_several_in_units_of_one(
    make: Make, units: Sequence[int], mode: tuple[int, int] | None
) -> None:
    assert make(units).mode == mode


@both
def test_what_it_was_made_of_stays_as_it_was(make: Make) -> None:
    held = make([3, 1, 2])

    assert list(held.units) == [3, 1, 2]
    assert held.at(0) == 1
