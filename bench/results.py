"""Raw figures of the benchmarks, kept as JSON: the tables of docs/explanation/performance.md are made from them."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Collection
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("results")


def store(name: str, figures: dict[str, Any], *, folder: Path = FOLDER) -> None:
    """Keep the figures of one benchmark, and what they were measured on."""
    folder.mkdir(exist_ok=True)
    text = json.dumps({"measured on": machine(), **_rounded(figures)}, indent=1, ensure_ascii=False)
    _path(folder, name).write_text(f"{text}\n")


def load(name: str, *, folder: Path = FOLDER) -> dict[str, Any]:
    """Return the figures of one benchmark."""
    found: dict[str, Any] = json.loads(_path(folder, name).read_text())
    return found


def percentile(values: Collection[float], share: float) -> float:
    """Return the value that this share of `values` does not exceed; `share` is from 0 to 1."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def machine() -> dict[str, Any]:
    """Return what ratios may depend on."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "Python": platform.python_version(),
        **{name: version(name) for name in ("boto3", "ministack", "numpy", "pillow")},
    }


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}.json"


def _rounded(figures: Any) -> Any:
    """Return the figures with four significant digits, which is more than they have."""
    if isinstance(figures, float):
        return float(f"{figures:.4g}")
    if isinstance(figures, dict):
        return {name: _rounded(value) for name, value in figures.items()}
    return [_rounded(value) for value in figures] if isinstance(figures, list) else figures
