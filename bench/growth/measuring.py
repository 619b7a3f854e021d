"""Measure dimensions and keep the figures."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from bench import results
from bench.growth.dimensions import DIMENSIONS, Dimension, Measure
from bench.growth.site import Figures, Site, Size, site

#: Of several rounds, how each figure is chosen: what another program took of the machine only adds.
CHOICE = {"peak MB": max}


def measure(names: Iterable[str] = DIMENSIONS, *, quick: bool = False) -> dict[str, Any]:
    """Return the figures of the dimensions of these names, and those kept of the others."""
    found = {name: one_dimension(DIMENSIONS[name], quick=quick) for name in names}
    return {"dimensions": found if quick else {**kept(), **found}}


def kept() -> dict[str, Any]:
    """Return the figures of each dimension that were kept; none before the first time."""
    with suppress(FileNotFoundError):
        found: dict[str, Any] = results.load("growth")["dimensions"]
        return {name: found[name] for name in DIMENSIONS if name in found}
    return {}


def one_dimension(dimension: Dimension, *, quick: bool) -> dict[str, Any]:
    """Measure all contestants at each size, in turn."""
    load, series = os.getloadavg()[0], {name: list[Figures]() for name in dimension.measures}
    with site() as place:
        for size in dimension.quick if quick else dimension.sizes:
            for name, work in dimension.measures.items():
                if size in dimension.sizes_of(name, quick=quick):
                    rounds = dimension.rounds if size <= dimension.rounds_until else 1
                    figures = at_size(work, place, size, rounds)
                    series[name].append({"size": size, **figures})
                    _show(dimension, size, name, figures)
    return {"date": f"{datetime.now(UTC):%Y-%m-%d}", "load": load, "series": series}


def at_size(work: Measure, place: Site, size: Size, rounds: int) -> Figures:
    """Return the least time of some rounds, the least processor time, and the most memory."""
    found = [work(place, size) for _ in range(rounds)]
    return {key: CHOICE.get(key, min)(one[key] for one in found) for key in found[0]}


def _show(dimension: Dimension, size: Size, name: str, figures: Figures) -> None:
    shown = "  ".join(f"{key} {value:.4g}" for key, value in figures.items())
    print(f"  {size:>11,} {dimension.unit:18} {name:26} {shown}", flush=True)
