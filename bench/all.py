"""Run every benchmark, print what each found as it ends, keep the raw figures, and write the tables of the pages.

    python -m bench.all [NAME ...]     some of, or all of, `BENCHMARKS`

All are sized for under half an hour on two cores that nothing else uses. Before the first one it says what is left out,
and why. A benchmark that fails is named at the end, and the others go on; the exit status is then 1.

The raw figures go to bench/results/NAME.json; `python -m scripts.docs` makes the tables from them without measuring
again, and its `--check` finds a table that does not agree with them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from rich.console import Console
from rich.text import Text

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
    runner,
    throughput,
    uploads,
)
from bench.growth import measuring as growth
from bench.growth import plots
from bench.growth.dimensions import DIMENSIONS
from bench.peers import comparison
from scripts import docs

#: What is measured here of other workers: a part of what `python -m bench.peers` does.
SHORT_PEERS = ("--requests", "200", "--rounds", "1", "--ended", "100", "--at-once", "8", "--trips", "10")

BENCHMARKS: dict[str, Callable[[], dict[str, Any]]] = {
    "throughput": partial(throughput.measure, requests=1000),
    "processes": partial(processes.measure, requests=1000, rounds=2),
    "profile": partial(profiled.measure, requests=2000),
    "latency": latency.measure,
    "crowd": partial(overload.measure, rounds=1),
    "lists": lists.measure,
    "biglist": partial(biglist.measure, rounds=1),
    "images": images.measure,
    "batch": batch.measure,
    "cost": cost.measure,
    "fleet": fleet.measure,
    "uploads": uploads.measure,
    "growth": growth.measure,
    "peers": lambda: comparison.figures(comparison.arguments(SHORT_PEERS)),
}
#: The generated parts of the documentation that a benchmark's figures make.
TABLES: dict[str, tuple[str, ...]] = {
    "throughput": ("performance throughput",),
    "processes": ("performance processes",),
    "profile": ("performance profile",),
    "latency": ("performance latency",),
    "crowd": ("performance crowd",),
    "lists": ("performance lists",),
    "biglist": ("performance biglist",),
    "images": ("performance images",),
    "batch": ("performance batch",),
    "cost": ("cost counted", "cost afternoon"),
    "fleet": ("fleet inputs", "fleet loads", "fleet policies", "fleet money", "fleet check"),
    "uploads": ("performance uploads",),
    "growth": tuple(f"performance growth {name}" for name in DIMENSIONS),
    "peers": (
        "performance peers",
        "performance peer calls",
        "performance peer waiting",
        "performance peer ends",
        "cost peers",
    ),
}
#: How wide tables are in a file or a pipe.
PRINTED_WIDTH = 132
#: Why a benchmark has no table.
NO_TABLE: dict[str, str] = {}
#: What is drawn from a benchmark's figures; returns an exit status.
PLOTS: dict[str, Callable[[], int]] = {"growth": plots.draw}
#: The packages without which a benchmark cannot run at all.
PACKAGES: dict[str, tuple[str, ...]] = {"growth": ("matplotlib",)}
#: What a benchmark compares with and does not find here, with the reason.
MISSING: dict[str, Callable[[], Mapping[str, str]]] = {
    "biglist": biglist.missing,
    "images": images.missing,
    "peers": comparison.missing,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks that a command line names, and write their tables; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    names = parser.parse_args(arguments).names or list(BENCHMARKS)
    if unknown := set(names) - BENCHMARKS.keys():
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PRINTED_WIDTH)
    unable = runner.unable({name: PACKAGES.get(name, ()) for name in names})
    runner.print_left_out(unable, {name: MISSING[name] for name in names if name in MISSING}, console)
    able = {name: BENCHMARKS[name] for name in names if name not in unable}
    status = runner.run(able, keep, partial(print_tables, console), console)
    runner.print_table(docs.PARTS["aims"](), console)
    return write_pages() or status


def keep(name: str, figures: dict[str, Any]) -> int:
    """Keep the figures of a benchmark, and draw its plots; return the exit status."""
    results.store(name, figures)
    return PLOTS[name]() if name in PLOTS else 0


def write_pages() -> int:
    """Write the tables of the documentation; return the exit status."""
    return docs.main([])


def print_tables(console: Console, name: str) -> None:
    """Print the tables that a benchmark's figures make, or why it has none."""
    for part in TABLES.get(name, ()):
        runner.print_table(docs.PARTS[part](), console)
    if name in NO_TABLE:
        console.print(Text(NO_TABLE[name]))


if __name__ == "__main__":
    sys.exit(main())
