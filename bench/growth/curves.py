"""The curves of kept figures: quantities over sizes, and how a contestant's compare with those of its bare loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.growth.dimensions import Dimension
from bench.growth.fit import Curve

#: What a panel of a plot shows, and its unit.
QUANTITIES = {"seconds": ("time", "s"), "CPU s": ("processor time", "s"), "peak MB": ("peak memory", "MB")}
ENGINE, ENGINE_LABEL = "local AWS CPU s", "local AWS"

Series = Mapping[str, Sequence[Mapping[str, float]]]


def curve(points: Sequence[Mapping[str, float]], key: str) -> Curve | None:
    """Return the curve of a quantity, without what was too little to be measured; None if it has one point or none."""
    found = [(one["size"], one[key]) for one in points if one.get(key, 0) > 0]
    return Curve(sizes=[size for size, _ in found], values=[value for _, value in found]) if len(found) > 1 else None


def curves(found: Mapping[str, Any], key: str) -> Iterator[tuple[str, Curve]]:
    """Yield the curve of each contestant; of processor time, that of the local AWS as well."""
    series: Series = found["series"]
    for name, points in series.items():
        if one := curve(points, key):
            yield name, one
    engine = filter(None, (curve(points, ENGINE) for points in series.values()))
    if key == "CPU s" and (one := next(engine, None)):
        # While it served the first contestant that needs it, which is Courier's.
        yield ENGINE_LABEL, one


def ratio(dimension: Dimension, found: Mapping[str, Any], key: str) -> Curve | None:
    """Return a quantity of a contestant with that of its bare loop as 1; None if there is no bare loop."""
    if not dimension.beside:
        return None
    ours, bare = (found["series"][name] for name in dimension.beside)
    points = [{"size": one["size"], key: one[key] / other[key]} for one, other in zip(ours, bare, strict=True)]
    return curve(points, key)
