"""A list of some 200 MB: processor time, memory and exactness, beside DuckDB (one thread) and polars.

    pip install -r bench/requirements.txt
    python -m bench.biglist [--numbers N]

Each contender is a process of its own, requested count, sum, min, max, mean, median, quartiles and standard deviation
of a file with a number a line; its processor time and its largest resident memory are those that the system
tells of it, its start included. Ours reads the file as a worker reads the object: a sample, then one pass. The aims:
less processor time than either, at most 100 MB, exact. What is right is known from how the list is made.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from courier.numbers.brackets import MAX_KEPT
from courier.numbers.passes import make_plan, pass_over
from courier.numbers.plan import Plan
from courier.numbers.ranges import ByteRange
from courier.numbers.rounding import figure
from courier.numbers.search import summarize_stream
from courier.numbers.stats import STATISTICS
from courier.numbers.streaming import OnePass

NUMBERS = 17_500_000
BLOCK_BYTES = 2**17
#: How often a contender runs; its least processor time counts.
TIMES = 3
KINDS = {"integers": 0, "six decimals": 6}


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
    return repr(found.fetchone()[0])


def polars(path: str) -> str:
    """Answer with polars."""
    import polars as pl  # type: ignore[import-not-found,unused-ignore]

    x = pl.col("column_0")
    figures = [x.mean(), x.count().alias("n"), x.sum().alias("s"), x.min().alias("a"), x.max().alias("b")]
    figures += [x.std().alias("d"), *(x.quantile(q, "linear").alias(f"q{q}") for q in (0.25, 0.5, 0.75))]
    return repr(pl.read_csv(path, has_header=False).select(figures).item(0, 0))


CONTENDERS: dict[str, Callable[[str], str]] = {"courier": ours, "DuckDB": duckdb, "polars": polars}


def make(path: Path, numbers: int, decimals: int) -> str:
    """Write a list and return its mean, exactly, as we write it."""
    chosen = random.Random(1)
    total = 0
    with path.open("w") as file:
        for _ in range(0, numbers, 1000):
            units = [chosen.randrange(-(10**9), 10**9) for _ in range(1000)]
            total += sum(units)
            file.writelines(f"{unit / 10**decimals:.{decimals}f}\n" for unit in units)
    return figure(*Fraction(total, numbers * 10**decimals).as_integer_ratio()).text


def measured(name: str, path: Path) -> dict[str, Any]:
    """Run a contender; return its processor seconds, its peak memory, and the mean it found."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(writer, 1)
        os.execv(sys.executable, [sys.executable, "-m", "bench.biglist", "--contender", name, "--path", str(path)])  # noqa: S606  this very program
    os.close(writer)
    with os.fdopen(reader) as output:
        found = output.read().strip()
    _, status, usage = os.wait4(child, 0)
    if status:
        raise SystemExit(f"{name} failed.")
    return {"seconds": usage.ru_utime + usage.ru_stime, "peak MB": usage.ru_maxrss / 1024, "mean": found}


def measure(numbers: int = NUMBERS) -> dict[str, Any]:
    """Return what each contender needs for each kind of list; a contender that is not installed is left out."""
    kinds = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind, decimals in KINDS.items():
            path = Path(folder) / f"{kind.replace(' ', '-')}.csv"
            right = make(path, numbers, decimals)
            names = [name for name in CONTENDERS if name == "courier" or find_spec(name.lower())]
            rounds = [{name: measured(name, path) for name in names} for _ in range(TIMES)]
            kinds[kind] = {"bytes": path.stat().st_size, "mean": right, "rounds": rounds}
            path.unlink()
    return {"numbers": numbers, "kinds": kinds}


def main() -> None:
    """Measure all of it and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--numbers", type=int, default=NUMBERS, help=f"how many (default: {NUMBERS:,})")
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--path", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.contender:
        print(CONTENDERS[given.contender](given.path))
        return
    for kind, found in measure(given.numbers)["kinds"].items():
        print(f"{given.numbers:,} {kind}, {found['bytes'] / 1e6:.0f} MB; the mean is {found['mean']}")
        for name in found["rounds"][0]:
            runs = [one[name] for one in found["rounds"]]
            seconds, megabytes = min(run["seconds"] for run in runs), max(run["peak MB"] for run in runs)
            print(f"  {name:7} {seconds:5.2f} s, {megabytes:4.0f} MB, mean {runs[0]['mean']}")


if __name__ == "__main__":
    main()
