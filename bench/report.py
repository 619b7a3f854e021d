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
    fleet,
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
    "fleet": fleet.measure,
    "uploads": uploads.measure,
    "peers": lambda: comparison.figures(comparison.arguments([])),
}


def main() -> int:
    """Measure and write; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    names = parser.parse_args().names or list(BENCHMARKS)
    if unknown := set(names) - BENCHMARKS.keys():
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    for name in names:
        print(f"{name} ...", flush=True)
        results.store(name, BENCHMARKS[name]())
    return subprocess.run([sys.executable, "-m", "scripts.docs"], cwd=throughput.ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
