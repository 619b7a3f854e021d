"""Sums and the order of 64-bit integers are those of Python's integers."""

from __future__ import annotations

import numpy as np
import pytest

from courier.numbers.integers import INT64_LIMIT, sort, sums

BLOCK = 2**13


@pytest.mark.parametrize("bits", [1, 19, 20, 21, 31, 32, 39, 40, 41, 59, 60, 61, 63])
@pytest.mark.parametrize("shift", [0, 1])
def test_sums_are_exact_up_to_the_largest_numbers(bits: int, shift: int) -> None:
    largest = 2**bits - 1
    some = [largest - shift, -largest, largest, *range(-3, 4), largest // 3] * (2 * BLOCK // 9)
    units = [unit for unit in some if abs(unit) <= largest]

    for chosen in (units, [abs(unit) for unit in units], [largest] * (BLOCK + 1), [-largest] * BLOCK):
        found = sums(np.array(chosen, dtype=np.int64), min(chosen), max(chosen))
        assert found == (sum(chosen), sum(unit * unit for unit in chosen))


@pytest.mark.parametrize("largest", [5, 2**31 - 1, 2**31, INT64_LIMIT])
@pytest.mark.parametrize("sign", [1, -1])
def test_numbers_are_sorted_whatever_their_size(largest: int, sign: int) -> None:
    units = [3, sign * largest, 0, -2, 3]

    assert sort(np.array(units, dtype=np.int64)).tolist() == sorted(units)
