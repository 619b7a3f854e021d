"""The tables of docs/explanation/cost.md that come from counted calls: what is counted, times AWS's prices."""

from __future__ import annotations

import statistics
from collections.abc import Mapping

from bench import results
from scripts.peer_tables import FEW_CALLS
from scripts.tables import table

#: Dollars for a call, by what `bench.cost` counts it as: SQS standard queues, and S3 in us-east-1, November 2026.
#: https://aws.amazon.com/sqs/pricing/ https://aws.amazon.com/s3/pricing/
PRICES = {"sqs": 0.4e-6, "put": 5e-6, "get": 0.4e-6, "free": 0.0}
MINUTES_A_MONTH = 730 * 60
#: A t3.micro and its public address, in dollars an hour.
INSTANCE, ADDRESS = 0.0104, 0.005
#: An afternoon of a class: its hours, its people, and what each of them sends.
HOURS, PEOPLE, LISTS, IMAGES = 4, 30, 50, 20


def dollars(charged: Mapping[str, float]) -> float:
    """Return what calls cost, by their kinds."""
    return sum(PRICES[kind] * count for kind, count in charged.items())


def counted() -> str:
    """Return the table of what lists and images cost, client and worker together."""
    found = results.load("cost")["calls per 1,000"]
    rows = (
        (name, f"{sum(calls.values()) / 1000:.1f}", _by_kind(calls), f"${dollars(calls) * 1000:.2f}")
        for name, calls in found.items()
    )
    return table(("what", "calls for one", "of these", "a million of them"), rows)


def _by_kind(calls: Mapping[str, float]) -> str:
    names = {"sqs": "SQS", "put": "PUT or LIST", "get": "GET or HEAD", "free": "free"}
    return ", ".join(f"{names[kind]} {count / 1000:.1f}" for kind, count in calls.items() if count >= FEW_CALLS)


def peers() -> str:
    """Return the table of what the calls of our worker and of others' cost."""
    found, idle = results.load("peers"), _idle_calls()
    rows = []
    for name in found["names"]:
        runs = [one["17 numbers, 0 ms"].get(name) for one in found["backlog"]]
        if None in runs:
            continue
        calls = statistics.median(sum(one["calls per 1,000"].values()) for one in runs)
        waiting = idle[name] * MINUTES_A_MONTH * PRICES["sqs"]
        rows.append(
            (found["names"][name], f"${calls * 1000 * PRICES['sqs']:.2f}", f"{idle[name]:.0f}", f"${waiting:.2f}")
        )
    return table(("a worker", "a million requests", "idle calls a minute", "an idle month"), rows)


def _idle_calls() -> dict[str, float]:
    """Return the calls a minute of idle workers: ours by `latency`, which is newer, the others' by `peers`."""
    found = {
        name: sum(one["calls"].values()) * 60 / one["seconds"] for name, one in results.load("peers")["idle"].items()
    }
    return {**found, "with_courier": _our_polls()}


def _our_polls() -> float:
    idle = results.load("latency")["idle"]
    return float(idle["calls"]["ReceiveMessage"] * 60 / idle["seconds"])


def afternoon() -> str:
    """Return the table of what an afternoon of a class costs."""
    calls = results.load("cost")["calls per 1,000"]
    costs = {
        f"the instance and its address, {HOURS} hours": HOURS * (INSTANCE + ADDRESS),
        "both workers' polls": 2 * _our_polls() * 60 * HOURS * PRICES["sqs"],
        f"{PEOPLE * LISTS:,} lists": PEOPLE * LISTS * dollars(calls["lists of thirty menus"]) / 1000,
        f"{PEOPLE * IMAGES:,} images": PEOPLE * IMAGES * dollars(calls["images of a folder"]) / 1000,
    }
    rows = [(what, f"${cost:.4f}") for what, cost in costs.items()]
    title = f"{PEOPLE} people, each with {LISTS} lists and {IMAGES} images"
    return table((title, "dollars"), [*rows, ("together", f"${sum(costs.values()):.2f}")])
