"""Lists of 0.2 GB, and of more: processor time, time, memory and exactness, beside DuckDB, polars and GNU datamash.

    pip install -r bench/requirements.txt; apt-get install datamash
    python -m bench.biglist [--gigabytes 2] [--kinds KIND ...] [--rounds N] [--print-only]

Each contender is a process of its own that computes count, sum, min, max, mean, median, quartiles and standard
deviation of a file with a number a line; its start counts. Ours reads the file as a worker reads the object: a sample,
then one pass. DuckDB has one thread. The aims: less processor time than any, at most 100 MB, exact. What is right is
known from how the list is made. The figures of each size are kept in bench/results/biglist.json beside those of others.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from bench import results, spent
from bench.running import ROOT
from courier.numbers.brackets import MAX_KEPT
from courier.numbers.passes import make_plan, pass_over
from courier.numbers.plan import Plan
from courier.numbers.ranges import ByteRange
from courier.numbers.rounding import figure
from courier.numbers.search import summarize_stream
from courier.numbers.stats import STATISTICS
from courier.numbers.streaming import OnePass

GIGABYTES = 0.2
#: How many numbers of either kind stand for a gigabyte; a line has 10.4 or 11.4 bytes.
NUMBERS_PER_GIGABYTE = 87_500_000
BLOCK_BYTES = 2**17
#: How many numbers are made at once.
MADE_AT_ONCE = 500_000
#: How often a contender runs, and how often on a list from `LARGE_GIGABYTES` on.
ROUNDS, ROUNDS_IF_LARGE = 3, 1
LARGE_GIGABYTES = 1.0
#: The decimals of each kind of number.
KINDS = {"integers": 0, "six decimals": 6}
DATAMASH = [
    *("datamash", "--format", "%.17g"),
    *(
        "mean",
        "1",
        "count",
        "1",
        "sum",
        "1",
        "min",
        "1",
        "max",
        "1",
        "sstdev",
        "1",
        "q1",
        "1",
        "median",
        "1",
        "q3",
        "1",
    ),
]


def ours(path: str) -> str:
    """Answer as a worker does that is requested the whole list."""
    size = Path(path).stat().st_size
    with Path(path).open("rb", buffering=0) as file:

        def fetch(ranges: Sequence[range]) -> Iterator[bytes]:
            for one in ranges:
                yield os.pread(file.fileno(), len(one), one.start)

        def make_pass(plan: Plan) -> OnePass:
            file.seek(0)
            blocks = iter(lambda: file.read(BLOCK_BYTES), b"")
            return pass_over(ByteRange(start=0, stop=size, size=size), blocks, plan, limit=MAX_KEPT).found

        figures, _ = summarize_stream(make_plan(fetch, size, STATISTICS), make_pass, STATISTICS, limit=MAX_KEPT)
    mean = figures["mean"]
    return mean.text if mean else ""


def duckdb(path: str) -> str:
    """Answer with DuckDB on one thread."""
    import duckdb as db  # type: ignore[import-not-found,unused-ignore]

    found = db.connect(config={"threads": 1}).execute(
        "select avg(column0), count(*), sum(column0), min(column0), max(column0), stddev_samp(column0), "
        "quantile_cont(column0, [0.25, 0.5, 0.75]) from read_csv(?, header=false)",
        [path],
    )
    ((mean, *_),) = found.fetchall()
    return repr(mean)


def polars(path: str) -> str:
    """Answer with polars."""
    import polars as pl  # type: ignore[import-not-found,unused-ignore]

    x = pl.col("column_0")
    figures = [x.mean(), x.count().alias("n"), x.sum().alias("s"), x.min().alias("a"), x.max().alias("b")]
    figures += [x.std().alias("d"), *(x.quantile(q, "linear").alias(f"q{q}") for q in (0.25, 0.5, 0.75))]
    return repr(pl.read_csv(path, has_header=False).select(figures).item(0, 0))


#: Those that are written in Python, and run by this program.
OURS_TO_RUN: dict[str, Callable[[str], str]] = {"courier": ours, "DuckDB": duckdb, "polars": polars}
CONTENDERS = (*OURS_TO_RUN, "datamash")


def missing() -> dict[str, str]:
    """Return the contenders that are not installed, and how they get there."""
    found = {
        name: "not installed: pip install -r bench/requirements.txt"
        for name in OURS_TO_RUN
        if name != "courier" and not find_spec(name.lower())
    }
    if not shutil.which("datamash"):
        found["datamash"] = "not installed: apt-get install datamash"
    return found


def make(path: Path, numbers: int, decimals: int) -> str:
    """Write a list and return its mean, exactly, as we write it."""
    chosen = np.random.default_rng(1)
    total = 0
    with path.open("w") as file:
        for start in range(0, numbers, MADE_AT_ONCE):
            units = chosen.integers(-(10**9), 10**9, min(MADE_AT_ONCE, numbers - start))
            total += int(units.sum())
            file.write(f"%.{decimals}f\n" * len(units) % tuple((units / 10**decimals).tolist()))
    return figure(*Fraction(total, numbers * 10**decimals).as_integer_ratio()).text


def measured(name: str, path: Path) -> dict[str, Any]:
    """Run a contender; return what it took (see `bench.spent`), and the mean it found, as a float is written."""
    if name in OURS_TO_RUN:
        found = spent.of([sys.executable, "-m", "bench.biglist", "--contender", name, "--path", str(path)])
        mean = found.pop("output")
    else:
        found = spent.of(DATAMASH, path)
        mean = repr(float(found.pop("output").split()[0]))
    return {**found, "mean": mean}


def measure(
    gigabytes: float = GIGABYTES,
    rounds: int | None = None,
    kinds: Iterable[str] = tuple(KINDS),
    folder: Path = results.FOLDER,
) -> dict[str, Any]:
    """Return what each contender that is installed takes for a size, and what `folder` keeps of others."""
    rounds = rounds or (ROUNDS if gigabytes < LARGE_GIGABYTES else ROUNDS_IF_LARGE)
    with tempfile.TemporaryDirectory() as place:
        require_space(place, gigabytes)
        found = {kind: _measured(kind, Path(place, "list"), gigabytes, rounds) for kind in kinds}
    sizes, size = _kept(folder), f"{gigabytes:g}"
    of_size = {**sizes.get(size, {}).get("kinds", {}), **found}
    sizes[size] = {"numbers": _numbers(gigabytes), "kinds": {kind: of_size[kind] for kind in KINDS if kind in of_size}}
    return {"sizes": dict(sorted(sizes.items(), key=lambda one: float(one[0])))}


def _numbers(gigabytes: float) -> int:
    return round(gigabytes * NUMBERS_PER_GIGABYTE)


def _measured(kind: str, path: Path, gigabytes: float, rounds: int) -> dict[str, Any]:
    right = make(path, _numbers(gigabytes), KINDS[kind])
    names = [name for name in CONTENDERS if name not in missing()]
    found = [{name: measured(name, path) for name in names} for _ in range(rounds)]
    return {"measured on": results.machine(), "bytes": path.stat().st_size, "mean": right, "rounds": found}


def require_space(folder: str, gigabytes: float) -> None:
    """Check that a list has room in a folder. Raises: OSError if it has not."""
    free = shutil.disk_usage(folder).free / 1e9
    if free < gigabytes * 1.2:
        raise OSError(
            f"A list of {gigabytes:g} GB needs {gigabytes * 1.2:.1f} GB in {folder}, and {free:.1f} are free."
        )


def _kept(folder: Path) -> dict[str, Any]:
    try:
        sizes: dict[str, Any] = results.load("biglist", folder=folder).get("sizes", {})
    except FileNotFoundError:
        return {}
    return sizes


def main() -> int:
    """Measure one size, print it and keep it; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--gigabytes", type=float, default=GIGABYTES, help=f"of each list, about (default: {GIGABYTES:g})"
    )
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), help="of numbers (default: all)")
    parser.add_argument("--rounds", type=int, help="how often each contender runs (default: 3; from 1 GB on, 1)")
    parser.add_argument("--print-only", action="store_true", help="keep nothing, and write no table")
    parser.add_argument("--contender", choices=OURS_TO_RUN, help=argparse.SUPPRESS)
    parser.add_argument("--path", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.contender:
        print(OURS_TO_RUN[given.contender](given.path))
        return 0
    for name, reason in missing().items():
        print(f"{name} is skipped: {reason}")
    found = measure(given.gigabytes, given.rounds, given.kinds)
    print_size(found["sizes"][f"{given.gigabytes:g}"])
    if given.print_only:
        return 0
    results.store("biglist", found)
    return subprocess.run([sys.executable, "-m", "scripts.docs"], cwd=ROOT, check=False).returncode


def print_size(found: dict[str, Any]) -> None:
    """Print what each contender took for one size."""
    for kind, one in found["kinds"].items():
        print(f"{found['numbers']:,} {kind}, {one['bytes'] / 1e6:.0f} MB; the mean is {one['mean']}")
        for name in one["rounds"][0]:
            runs = [each[name] for each in one["rounds"]]
            processor, clock = (min(run[key] for run in runs) for key in ("seconds", "wall seconds"))
            memory = max(run["peak MB"] for run in runs)
            print(f"  {name:8} {processor:6.2f} CPU s, {clock:6.2f} s, {memory:5.0f} MB, mean {runs[0]['mean']}")


if __name__ == "__main__":
    sys.exit(main())
