"""Benchmarks in turn: each in a process of its own, so that one that fails or changes the environment ends alone."""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

Measure = Callable[[], dict[str, Any]]
#: Keeps a benchmark's figures; may return an exit status.
Store = Callable[[str, dict[str, Any]], int | None]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a benchmark: its seconds on the clock and of processor time, and its process's exit status."""

    name: str
    seconds: float
    cpu_seconds: float
    status: int

    def __str__(self) -> str:
        """Return a sentence for people."""
        how = f"failed with status {self.status} after" if self.status else "took"
        return f"{self.name} {how} {self.seconds:,.0f} s ({self.cpu_seconds:,.0f} s of processor time)"


def unable(packages: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Return the benchmarks that need a package which is not installed, and the reason."""
    lacking = {name: [one for one in needed if not find_spec(one)] for name, needed in packages.items()}
    return {name: f"{', '.join(found)} is not installed" for name, found in lacking.items() if found}


def print_left_out(
    unable: Mapping[str, str], missing: Mapping[str, Callable[[], Mapping[str, str]]], console: Console
) -> None:
    """Print which benchmarks are left out, and what the others do without, with the reasons."""
    for name, reason in unable.items():
        console.print(Text(f"{name} is skipped: {reason}"))
    for name in missing.keys() - unable.keys():
        for what, reason in missing[name]().items():
            console.print(Text(f"{name} skips {what}: {reason}"))


def run(benchmarks: Mapping[str, Measure], store: Store, show: Callable[[str], None], console: Console) -> int:
    """Run benchmarks in turn, `store` the figures of each, and `show` them; return the exit status.

    Prints what each took, and at the end the total and the names of those that failed.
    """
    outcomes = []
    for number, (name, measure) in enumerate(benchmarks.items(), start=1):
        console.rule(Text(f"{number}/{len(benchmarks)} {name}"))
        outcomes.append(outcome := _run(name, measure, store))
        if not outcome.status:
            show(name)
        console.print(Text(str(outcome)))
    console.rule()
    console.print(Text(_summary(outcomes)))
    return int(any(outcome.status for outcome in outcomes))


def _run(name: str, measure: Measure, store: Store) -> Outcome:
    started, before = time.monotonic(), _children_seconds()
    process = multiprocessing.get_context("fork").Process(target=_measure, args=(name, measure, store))
    process.start()
    process.join()
    return Outcome(
        name=name,
        seconds=time.monotonic() - started,
        cpu_seconds=_children_seconds() - before,
        status=process.exitcode or 0,
    )


def _measure(name: str, measure: Measure, store: Store) -> None:
    sys.exit(store(name, measure()))


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _summary(outcomes: list[Outcome]) -> str:
    seconds, cpu = sum(one.seconds for one in outcomes), sum(one.cpu_seconds for one in outcomes)
    failed = [one.name for one in outcomes if one.status]
    total = f"{len(outcomes)} benchmarks took {seconds / 60:.1f} minutes ({cpu / 60:.1f} of processor time)"
    return f"{total}; failed: {', '.join(failed)}" if failed else total


def print_table(markdown: str, console: Console) -> None:
    """Print a table of the documentation as one for a terminal."""
    header, _, *rows = (line[2:-2].split(" | ") for line in markdown.splitlines())
    shown = Table(*(Column(Text(cell), overflow="fold") for cell in header))
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    console.print(shown)
