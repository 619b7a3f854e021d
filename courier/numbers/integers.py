"""Integers of any size, as Python's or NumPy's 64-bit integers: exact sums, and a common unit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement
from operator import mul
from typing import Any, cast

import numpy as np

Array = np.ndarray[tuple[int], np.dtype[Any]]
#: Integers in units of 10**-decimals, and `decimals`.
Read = tuple[Sequence[int] | Array, int]

#: The largest 64-bit integer.
INT64_LIMIT = 2**63 - 1
_INT32_LIMIT = 2**31 - 1
#: The numbers squared at a time: they fit the processor's cache.
_BLOCK = 2**13
#: Large numbers are squared in limbs of this size: floats are exact for the sum of a block's products, below 2**53.
_LIMB_BITS = 20


def as_array(units: Sequence[int] | Array) -> Array:
    """Return integers as an array: of 64-bit integers if they fit, else of Python's."""
    if isinstance(units, np.ndarray):
        return units
    is_small = not units or (max(units) <= INT64_LIMIT and min(units) >= -INT64_LIMIT)
    return np.array(units, dtype=np.int64 if is_small else object)


def in_common_unit(parts: Sequence[tuple[Array, int]]) -> tuple[Array, int]:
    """Return all parts in the smallest of their units: as Python's integers if 64 bits are too few."""
    decimals = max((own for _, own in parts), default=0)
    arrays = [_rescaled(units, decimals - own) for units, own in parts]
    return np.concatenate(arrays) if arrays else as_array([]), decimals


def _rescaled(units: Array, decimals: int) -> Array:
    if decimals == 0 or not len(units):
        return units
    factor = 10**decimals
    if max(abs(int(units.max())), abs(int(units.min()))) * factor > INT64_LIMIT:
        units = units.astype(object)
    return cast("Array", units * factor)


def sums(units: Sequence[int] | Array, least: int, most: int) -> tuple[int, int]:
    """Return the exact sum and the exact sum of squares of integers between `least` and `most`."""
    if not isinstance(units, np.ndarray):
        return sum(units), sum(map(mul, units, units))
    if units.dtype == object:
        return int(units.sum()), int(units @ units)
    reach = max(abs(least), abs(most))
    total = _total(units, reach)
    # Differences from the middle are smaller, often small enough to be squared without limbs.
    middle = 0 if reach * reach * _BLOCK <= INT64_LIMIT else (least + most) // 2
    reach = max(most - middle, middle - least)
    blocks = (units[start : start + _BLOCK] for start in range(0, len(units), _BLOCK))
    squares = sum(_sum_of_squares(block - middle if middle else block, reach) for block in blocks)
    return total, squares + 2 * middle * total - len(units) * middle * middle


def _total(array: Array, reach: int) -> int:
    if reach * len(array) <= INT64_LIMIT:
        return int(array.sum())
    return (int((array >> 32).sum()) << 32) + int((array & 0xFFFFFFFF).sum())


def _sum_of_squares(block: Array, reach: int) -> int:
    if reach * reach * len(block) <= INT64_LIMIT:
        return int(block @ block)
    shifts = range(0, reach.bit_length() + 1, _LIMB_BITS)
    limbs = [((block >> shift) & (2**_LIMB_BITS - 1)).astype(np.float64) for shift in shifts[:-1]]
    limbs.append((block >> shifts[-1]).astype(np.float64))  # with the sign
    products = combinations_with_replacement(zip(shifts, limbs, strict=True), 2)
    return sum(int(one @ other) << (low + high + (low != high)) for (low, one), (high, other) in products)


def sort(units: Array) -> Array:
    """Return integers in ascending order; 32-bit integers, which are sorted twice as fast, if all fit."""
    if units.dtype == np.int64 and int(units.min()) >= -_INT32_LIMIT and int(units.max()) <= _INT32_LIMIT:
        units = units.astype(np.int32)
    return np.sort(units)
