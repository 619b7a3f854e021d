"""The tables of docs/explanation/fleet.md, made from the figures that `python -m bench.all fleet` has kept."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from typing import Any

from bench import results
from scripts.costs import ADDRESS, INSTANCE, PRICES
from scripts.tables import table

#: A core of a c6i, and a disk of 8 GB, in dollars an hour, at the list prices of us-east-1 in November 2026.
#: https://aws.amazon.com/ec2/pricing/on-demand/
C6I_CORE, DISK = 0.0425, 8 * 0.08 / 730
CORES = {"c6i.large": 2, "c6i.xlarge": 4, "c6i.2xlarge": 8, "c6i.4xlarge": 16, "c6i.8xlarge": 32}
#: What of a load's waits is shown.
WAITS = ("p50", "p95", "worst", "p95 of the last third")
#: Times, in seconds: below the first, milliseconds are shown; from the second on, no fractions.
TENTH, LONG = 0.1, 10.0
#: The cores that a t3.micro may use all the time, by the credits that it earns.
EARNED_CORES = 0.2


def check() -> str:
    """Return the table of waits that were measured and simulated."""
    found, rows = results.load("fleet"), []
    for workers, one in found["check"]["workers"].items():
        figures = (
            f"{one[source][key]:.2f}{'' if source == 'ratio' else ' s'}"
            for key in ("mean", "p95")
            for source in ("measured", "simulated", "ratio")
        )
        rows.append((workers, str(one["requests"]), *figures))
    both = ("measured", "simulated", "ratio")
    workers = f"workers (at a load of {found['measured on']['load']:.0f})"
    header = (workers, "requests", *(f"{what}, {source}" for what in ("mean wait", "95 %") for source in both))
    return table(header, rows)


def inputs() -> str:
    """Return the table of what was measured before, and given to the model."""
    found = results.load("fleet")["milliseconds"]
    sources = {
        "call": ("a worker's call to AWS", "`throughput`, `profile`"),
        "list": ("a list of 17 numbers, beside its calls", "`throughput`, `profile`"),
        "image": ("an image, the mean of 18 operations on 12 and 2 megapixels, S3 included", "`images`, `batch`"),
    }
    rows = ((what, f"{found[key]:.1f} ms", source) for key, (what, source) in sources.items())
    return table(("what", "processor time", "measured by"), rows)


def loads() -> str:
    """Return the table of waits: on the group, and on one big machine."""
    rows = (
        (name, kind, *(_seconds(wait[key]) for key in WAITS), *_big(one, kind))
        for name, one in results.load("fleet")["loads"].items()
        for kind, wait in one["group"]["waits"].items()
    )
    header = (
        "load",
        "of",
        "wait in the group: half",
        "95 %",
        "worst",
        "95 % of the last third",
        "on one big machine: 95 %",
        "worst",
    )
    return table(header, rows)


def _big(one: Mapping[str, Any], kind: str) -> Iterable[str]:
    wait = one["big"]["waits"][kind]
    return _seconds(wait["p95"]), _seconds(wait["worst"])


def _seconds(value: float) -> str:
    """Return a time with two digits at least: milliseconds below a tenth of a second."""
    if value < TENTH:
        return f"{value * 1000:.0f} ms"
    return f"{value:.{1 if value < LONG else 0}f} s"


def money() -> str:
    """Return the table of instances and dollars: of the group, and of one big machine."""
    rows = []
    for name, one in results.load("fleet")["loads"].items():
        group, big = one["group"], one["big"]
        instances = group["instance hours"] / group["hours"] * (INSTANCE + ADDRESS + DISK)
        needed = math.ceil(group["cores busy"] / EARNED_CORES)
        rows.append(
            (
                name,
                f"{group['cores busy']:.2f}",
                str(needed),
                str(group["most instances"]),
                f"${instances + _calls(group):.3f}",
                big["machine"],
                f"${CORES[big['machine']] * C6I_CORE + ADDRESS + DISK + _calls(big):.3f}",
                f"{group['most in flight']:,}",
            )
        )
    header = (
        "load",
        "cores busy",
        "t3.micro needed by that",
        "the group had at most",
        "its dollars an hour",
        "one big machine",
        "its dollars an hour",
        "most in flight (of 120,000)",
    )
    return table(header, rows)


def _calls(one: Mapping[str, float]) -> float:
    """Return what the workers' calls to SQS cost in an hour."""
    return one["calls"] / one["hours"] * PRICES["sqs"]


def chosen() -> Mapping[str, Any]:
    """Return the policy that the simulation chooses."""
    found: Mapping[str, Any] = min(results.load("fleet")["policies"], key=lambda row: row["score"])
    return found


def policies() -> str:
    """Return the table of policies."""
    rows, best = results.load("fleet")["policies"], chosen()
    groups = list(rows[0]["groups"])
    header = [f"group of {group}: {what}" for group in groups for what in ("95 % wait", "instance hours")]
    return table(
        ("backlog per instance", "warm-up", *header, "wait x hours, the best being 1"),
        (
            (
                f"{row['backlog']}",
                f"{row['warm-up']} s",
                *(text for group in groups for text in _means(row["groups"][group])),
                f"{row['score'] / best['score']:.2f}",
            )
            for row in rows
        ),
    )


def _means(cases: Mapping[str, Mapping[str, float]]) -> tuple[str, str]:
    """Return geometric means over the loads."""
    wait, hours = (statistics.geometric_mean(one[key] for one in cases.values()) for key in ("p95", "hours"))
    return f"{wait:.0f} s", f"{hours:.1f}"
