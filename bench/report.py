"""Measure what docs/explanation/performance.md states, keep the raw figures, and write the tables of the page.

    python -m bench.report [NAME ...]     one of, or all of, `BENCHMARKS`

The raw figures go to bench/results/NAME.json; `python -m scripts.docs` makes the tables from them without measuring
again, and its `--check` finds a table that does not agree with them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from bench import (
    batch,
    biglist,
    cost,
    images,
    latency,
    lists,
    overload,
    processes,
    profiled,
    results,
    throughput,
    uploads,
)
from bench.growth import measuring as growth
from bench.growth import plots
from bench.peers import comparison

BENCHMARKS: dict[str, Callable[[], dict[str, Any]]] = {
    "throughput": throughput.measure,
    "processes": processes.measure,
    "profile": profiled.measure,
    "latency": latency.measure,
    "crowd": overload.measure,
    "lists": lists.measure,
    "biglist": biglist.measure,
    "images": images.measure,
    "batch": batch.measure,
    "cost": cost.measure,
    "uploads": uploads.measure,
    "growth": growth.measure,
    "peers": lambda: comparison.figures(comparison.arguments([])),
}
#: What is drawn from the figures of a benchmark.
PLOTS: dict[str, Callable[[], int]] = {"growth": plots.draw}


def keep(name: str, figures: dict[str, Any]) -> int:
    """Keep the figures of a benchmark, and draw its plots; return the exit status."""
    results.store(name, figures)
    return PLOTS[name]() if name in PLOTS else 0


def write_pages() -> int:
    """Write the tables of the documentation; return the exit status."""
    return subprocess.run([sys.executable, "-m", "scripts.docs"], cwd=throughput.ROOT, check=False).returncode


def main() -> int:
    """Measure and write; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    names = parser.parse_args().names or list(BENCHMARKS)
    if unknown := set(names) - BENCHMARKS.keys():
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    status = 0
    for name in names:
        print(f"{name} ...", flush=True)
        status = keep(name, BENCHMARKS[name]()) or status
    return write_pages() or status


if __name__ == "__main__":
    sys.exit(main())
