"""Run the trials of all contestants, in turn, on one local AWS."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

from bench.peers import environment, trials
from bench.throughput import ROOT
from tests.support.engines import Engine

#: The modules of the contestants, and what each is called.
CONTESTANTS = {
    "bare": "bare boto3 loop",
    "with_courier": "courier",
    "with_sqs_workers": "sqs-workers",
    "with_fanferro": "fanferro",
    "with_taskiq": "taskiq-aio-sqs",
    "with_dramatiq": "dramatiq-sqs",
    "with_celery": "Celery",
    "naive": "naive loop",
}
#: What each backlog consists of: numbers a request, and milliseconds added to each call.
BACKLOGS = list(product((17, 1000), (0, 10)))


def measure(python: Path, names: list[str], given: argparse.Namespace) -> dict[str, Any]:
    """Run all trials; return the raw figures."""
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(name="ministack", folder=Path(folder)).start()
        try:
            return {
                "requests": given.requests,
                "backlog": [backlogs(engine, python, names, given.requests) for _ in range(given.rounds)],
                "idle": trials.idle(engine, names, python, given.idle_seconds, given.trips),
                "ends": ends(engine, python, names, given),
            }
        finally:
            engine.stop()


def backlogs(engine: Engine, python: Path, names: list[str], count: int) -> dict[str, dict[str, Any]]:
    """Return one round of all backlogs: by what they consist of, and by contestant."""
    found: dict[str, dict[str, Any]] = {}
    for numbers, delay_ms in BACKLOGS:
        case = f"{numbers} numbers, {delay_ms} ms"
        found[case] = {}
        for name in names:
            found[case][name] = trials.backlog(engine, name, python, count, numbers, delay_ms)
            print(f"{case:22} {CONTESTANTS[name]:16} {found[case][name]['requests/s']:8.1f} requests/s", flush=True)
    return found


def ends(engine: Engine, python: Path, names: list[str], given: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Return what becomes of requests whose worker ends, by signal and contestant."""
    with ThreadPoolExecutor(given.at_once) as pool:
        runs = {
            (title, name): pool.submit(trials.end, engine, name, python, given.ended, number)
            for title, number in trials.ENDS.items()
            for name in names
        }
    found: dict[str, dict[str, Any]] = {title: {} for title in trials.ENDS}
    for (title, name), run in runs.items():
        found[title][name] = run.result()
        print(f"{title:8} {CONTESTANTS[name]:16} {found[title][name]}", flush=True)
    return found


def arguments(given: Sequence[str] | None = None, description: str = "") -> argparse.Namespace:
    """Return what a command line means."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2000, help="how many wait in each backlog (default: 2000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each backlog is worked on (default: 3)")
    parser.add_argument("--ended", type=int, default=300, help="requests amid which a worker ends (default: 300)")
    parser.add_argument("--at-once", type=int, default=3, help="how many of these at once (default: 3)")
    parser.add_argument("--idle-seconds", type=float, default=60)
    parser.add_argument("--trips", type=int, default=20, help="round trips of each (default: 20)")
    parser.add_argument("--only", nargs="+", choices=CONTESTANTS, help="these contestants, and print, but keep nothing")
    parser.add_argument("--python", default=environment.interpreter(), help="the interpreter for all contestants")
    parser.add_argument("--venv", type=Path, default=ROOT / ".local/peers", help="where the environment is made")
    return parser.parse_args(given)


def missing() -> dict[str, str]:
    """Return the contestants that cannot run on the interpreter that there is, and the reason."""
    if sys.version_info >= environment.NEEDED or environment.interpreter() != sys.executable:
        return {}
    return {"fanferro": "it needs Python 3.12, and there is no python3.12"}


def figures(given: argparse.Namespace) -> dict[str, Any]:
    """Make the environment if need be, and run all trials; return the raw figures."""
    python = environment.python_of(given.venv, given.python)
    installed = environment.versions(python)
    names = given.only or list(CONTESTANTS)
    if "fanferro" not in installed and "with_fanferro" in names:
        print("fanferro is skipped: it needs Python 3.12 (see --python)")
        names.remove("with_fanferro")
    return {"installed": installed, "names": CONTESTANTS, **measure(python, names, given)}
