"""Plots of growth, one file for each dimension: time, processor time and memory, with both axes logarithmic."""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import Image

from bench.growth import measuring
from bench.growth.curves import ENGINE_LABEL, QUANTITIES, curves
from bench.growth.dimensions import DIMENSIONS, Dimension
from bench.growth.fit import bends
from bench.throughput import ROOT

FOLDER = ROOT / "docs/explanation/growth"
#: Inches, at `DOTS` an inch, which pages show half as large.
SIZE, DOTS = (8.0, 3.3), 200
COLORS = ("#0b62a4", "#d1495b", "#3a7d44", "#8d6a9f")
#: Axes over this range have numbers at powers of ten alone.
WIDE = 50
#: The key of a PNG's text that has the digest of the figures from which it was drawn.
DRAWN_FROM = "Source"


def draw() -> int:
    """Draw the plots of all dimensions that were kept; return the exit status."""
    if not find_spec("matplotlib"):
        print("The plots need matplotlib: pip install -r bench/requirements.txt", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    for name, found in measuring.kept().items():
        path(name).write_bytes(plot(DIMENSIONS[name], found))
        print(f"wrote {path(name).relative_to(ROOT)}")
    return 0


def path(name: str) -> Path:
    """Return the file of a dimension's plot."""
    return FOLDER / f"{name}.png"


def digest(found: Mapping[str, Any]) -> str:
    """Return what names the figures of a dimension."""
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def plot(dimension: Dimension, found: Mapping[str, Any]) -> bytes:
    """Return a PNG of a dimension's figures. Bends have a ring around them."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # type: ignore[import-not-found,unused-ignore]
    from matplotlib.figure import Figure  # type: ignore[import-not-found,unused-ignore]

    figure = Figure(figsize=SIZE, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    labels: dict[str, Any] = {}
    for axes, (key, (what, unit)) in zip(figure.subplots(1, len(QUANTITIES)), QUANTITIES.items(), strict=True):
        _panel(axes, dimension, found, key, labels)
        axes.set_xlabel(dimension.unit, fontsize=9)
        axes.set_ylabel(f"{what}, {unit}", fontsize=9)
    figure.legend(labels.values(), labels, loc="outside lower center", ncols=len(labels), fontsize=9, frameon=False)
    file = io.BytesIO()
    canvas.print_figure(file, dpi=DOTS, format="png")
    return _small(file, digest(found))


def _panel(axes: Any, dimension: Dimension, found: Mapping[str, Any], key: str, labels: dict[str, Any]) -> None:
    colors = {**dict(zip(dimension.measures, COLORS, strict=False)), ENGINE_LABEL: "#777777"}
    for name, one in curves(found, key):
        style = "--" if name == ENGINE_LABEL else "-"
        (labels[name],) = axes.plot(one.sizes, one.values, style, marker="o", markersize=4, color=colors[name])
        bent = {bend.size for bend in bends(one)}
        rings = {size: value for size, value in zip(one.sizes, one.values, strict=True) if size in bent}
        axes.plot(rings.keys(), rings.values(), "o", markersize=10, fillstyle="none", color=colors[name])
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(*_widened(*axes.get_ylim()))
    _mark(axes.xaxis, dimension.sizes)
    _mark(axes.yaxis, axes.get_ylim())
    axes.grid(visible=True, which="major", color="#dddddd")
    axes.tick_params(labelsize=8)


def _mark(axis: Any, values: Sequence[float]) -> None:
    """Write short numbers on a logarithmic axis: at powers of ten, and, where these are few, at 2 and 5 times them."""
    from matplotlib.ticker import (  # type: ignore[import-not-found,unused-ignore]
        FuncFormatter,
        LogLocator,
        NullFormatter,
    )

    steps = (1.0,) if max(values) / min(values) >= WIDE else (1.0, 2.0, 5.0)
    axis.set_major_locator(LogLocator(subs=steps, numticks=20))
    axis.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))
    axis.set_minor_formatter(NullFormatter())


def _widened(low: float, high: float) -> tuple[float, float]:
    """Return the limits of an axis, a power of ten apart at least: what hardly grows is to look flat."""
    missing = max(1.0, 10 * low / high) ** 0.5
    return low / missing, high * missing


def tick(value: float) -> str:
    """Return a number as an axis shows it: 0.05, 20, 10k, 1M."""
    for unit, name in ((1_000_000, "M"), (1000, "k")):
        if value >= unit:
            return f"{value / unit:g}{name}"
    return f"{value:g}"


def _small(file: io.BytesIO, source: str) -> bytes:
    """Return a PNG with few colors, which says from what it was drawn."""
    from PIL.PngImagePlugin import PngInfo

    said, result = PngInfo(), io.BytesIO()
    said.add_text(DRAWN_FROM, source)
    Image.open(file).convert("RGB").quantize(64).save(result, "PNG", optimize=True, pnginfo=said)
    return result.getvalue()
