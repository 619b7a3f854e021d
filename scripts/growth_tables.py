"""The tables of how time, processor time and memory grow with size, from the figures that `bench.growth` has kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bench.growth import measuring
from bench.growth.curves import QUANTITIES, curves, ratio
from bench.growth.dimensions import DIMENSIONS, Dimension
from bench.growth.fit import Bend, Curve, bends, exponent, slopes
from scripts.tables import table

#: From here on, two digits of a factor are those of a whole number.
ROUND_FROM = 10
#: What tables have and plots do not.
MORE = {"calls": ("calls to AWS", "calls")}
COLUMNS = ("of", "from the smallest to the largest", "exponents from size to size", "over all", "bends at")


def growth(name: str) -> str:
    """Return the table of a dimension, or, as long as it has not been measured, one that says so."""
    found = measuring.kept().get(name)
    return growth_table(DIMENSIONS[name], found) if found else table(("not measured",), ())


def growth_table(dimension: Dimension, found: Mapping[str, Any]) -> str:
    """Return the table of a dimension's figures."""
    sizes = sorted({one["size"] for points in found["series"].values() for one in points})
    header = f"{shown(sizes[0])} to {shown(sizes[-1])} {dimension.unit} (at a load of {found['load']:.0f})"
    return table((header, *COLUMNS), _rows(dimension, found, sizes[-1]))


def _rows(dimension: Dimension, found: Mapping[str, Any], largest: float) -> Iterator[tuple[str, ...]]:
    for key, (what, unit) in {**QUANTITIES, **MORE}.items():
        quantity = f"time {dimension.time}" if key == "seconds" else what
        is_absolute = key in {"peak MB", *MORE}
        for name, curve in curves(found, key):
            whom = name if curve.sizes[-1] == largest else f"{name}, to {shown(curve.sizes[-1])}"
            change = _values(curve, 0, f" {unit}") if is_absolute else f"{_factor(curve.growth)} times"
            yield quantity, whom, change, *_exponents(curve)
        if not is_absolute and (compared := ratio(dimension, found, key)):
            ours, bare = dimension.beside or ("", "")
            yield quantity, f"{ours}, {bare} being 1", _values(compared, 2), *_exponents(compared)


def _exponents(curve: Curve) -> tuple[str, str, str]:
    between = ", ".join(map(_slope, slopes(curve)))
    return between, _slope(exponent(curve)), "; ".join(map(_bend, bends(curve))) or "-"


def _bend(bend: Bend) -> str:
    before = "" if bend.before is None else f"{_slope(bend.before)}, then "
    return f"{shown(bend.size)} ({before}{_slope(bend.after)})"


def _slope(slope: float) -> str:
    return f"{slope:.2f}".replace("-0.00", "0.00")


def _values(curve: Curve, digits: int, unit: str = "") -> str:
    return f"{curve.values[0]:,.{digits}f} to {curve.values[-1]:,.{digits}f}{unit}"


def _factor(growth: float) -> str:
    """Return a factor with two significant digits."""
    return f"{float(f'{growth:.2g}'):,.0f}" if growth >= ROUND_FROM else f"{growth:.2g}"


def shown(size: float) -> str:
    """Return a size as people write it."""
    return f"{size:,}"
