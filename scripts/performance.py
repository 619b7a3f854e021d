"""The tables of docs/explanation/performance.md, made from the figures that `python -m bench.all` has kept."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bench import results
from scripts.tables import table

#: What a worker and the local AWS spend.
CPU = "CPU s per 1,000"
ENGINE = "engine's CPU s per 1,000"
#: What works on a folder of images.
BATCH_PARTS = ("image processes", "worker", "local AWS", "client")

Round = Mapping[str, Mapping[str, float]]


def spread(values: Iterable[float], digits: int = 2) -> str:
    """Return the median, and in parentheses the range, if there is one to speak of."""
    found = sorted(values)
    middle, low, high = (f"{value:.{digits}f}" for value in (statistics.median(found), found[0], found[-1]))
    return middle if low == high else f"{middle} ({low} to {high})"


def ratios(rounds: Iterable[Round], name: str, base: str, key: str) -> str:
    """Return how a figure compares with that of another contestant in the same round."""
    return spread(one[name][key] / one[base][key] for one in rounds)


def throughput() -> str:
    """Return the table of a worker beside a bare loop."""
    rounds = results.load("throughput")["rounds"]

    def row(what: str, figure: Callable[[str], str]) -> tuple[str, str, str]:
        return what, figure(""), figure(" + 10 ms")

    return table(
        ("a worker beside a bare boto3 loop", "as it is", "10 ms added to each call"),
        (
            row(
                "requests per second, the loop's being 1",
                lambda delay: ratios(rounds, f"courier{delay}", f"bare{delay}", "requests/s"),
            ),
            row(
                "processor time, the loop's being 1",
                lambda delay: ratios(rounds, f"courier{delay}", f"bare{delay}", "CPU ms/request"),
            ),
            row("calls per request", lambda delay: spread(one[f"courier{delay}"]["calls/request"] for one in rounds)),
            row("peak memory, MB", lambda delay: spread((one[f"courier{delay}"]["peak MB"] for one in rounds), 0)),
            row("the loop's, MB", lambda delay: spread((one[f"bare{delay}"]["peak MB"] for one in rounds), 0)),
        ),
    )


def processes() -> str:
    """Return the table of two processes beside one."""
    found = results.load("processes")
    rounds, rows = found["rounds"], []
    for case in rounds[0]:
        each = [(one[case]["courier 1"], one[case]["courier 2"]) for one in rounds]
        rows.append(
            (
                case,
                spread(two["requests/s"] / one["requests/s"] for one, two in each),
                spread(two[CPU] / one[CPU] for one, two in each),
                spread(_gain(one, two, engine=0.0) for one, two in each),
                spread(_gain(one, two, engine=(one[ENGINE] + two[ENGINE]) / 2) for one, two in each),
            )
        )
    header = (
        f"a request of (at a load of {found['measured on']['load']:.0f})",
        "requests/s of two, one being 1",
        "processor time for a request",
        "gain, AWS elsewhere",
        "gain, local AWS on the same two cores",
    )
    return table(header, rows)


def _gain(one: Mapping[str, float], two: Mapping[str, float], engine: float) -> float:
    """Return the gain of two processes on two cores that nothing else uses, by what each spends."""
    spent, busiest = two[CPU], two["busiest process's share"] * two[CPU]
    slow = max(one[CPU], engine)
    return slow / max(busiest, engine, (spent + engine) / 2)


def profile() -> str:
    """Return the table of where a worker's processor time goes."""
    found = results.load("profile")
    rows = [(what, f"{seconds / found['all']:.0%}") for what, seconds in found["parts"].items()]
    return table(("part of a worker's processor time", "share"), rows)


def idle_polls(found: Mapping[str, Any]) -> float:
    """Return the receive calls of an idle worker a minute."""
    return float(found["calls"]["ReceiveMessage"] * 60 / found["seconds"])


def latency() -> str:
    """Return the table of what people wait for, and of what an idle worker costs."""
    found = results.load("latency")
    medians = {name: statistics.median(seconds) for name, seconds in found["seconds"].items()}
    idle = found["idle"]
    return table(
        ("what", "figure"),
        (
            ("a round trip, one through two bare boto3 loops being 1", f"{medians['courier'] / medians['bare']:.2f}"),
            (f"receive calls of an idle worker a minute, over {idle['seconds']} s", f"{idle_polls(idle):.1f}"),
        ),
    )


def crowd() -> str:
    """Return the table of crowds on the shared reply queue and on private ones."""
    found = results.load("crowd")["rounds"]

    def beside(clients: str, share: float) -> str:
        return spread(
            (
                results.percentile(one[clients]["shared"]["seconds"], share)
                / results.percentile(one[clients]["private"]["seconds"], share)
                for one in found
            ),
            1,
        )

    def receives(clients: str, way: str) -> str:
        return spread(one[clients][way]["receives"] / len(one[clients][way]["seconds"]) for one in found)

    def missing(clients: str) -> str:
        return ", ".join(str(sum(len(one[clients][way]["wrong"]) for one in found)) for way in ("shared", "private"))

    rows = (
        (
            clients,
            receives(clients, "shared"),
            receives(clients, "private"),
            *(beside(clients, share) for share in (0.5, 0.95, 1)),
            missing(clients),
        )
        for clients in found[0]
    )
    return table(
        (
            "clients at once",
            "receives a response, shared",
            "private",
            "round trip, private being 1: median",
            "95 %",
            "worst",
            "without a right response: shared, private",
        ),
        rows,
    )


def lists() -> str:
    """Return the table of full messages beside NumPy's floats."""
    rounds = results.load("lists")["rounds"]
    rows = ((kind, spread(one[kind]["NumPy's floats"] / one[kind]["courier"] for one in rounds)) for kind in rounds[0])
    return table(("a full message (1 MiB) of", "processor time of NumPy's floats, ours being 1"), rows)


def biglist() -> str:
    """Return the table of long lists, of each size that was measured."""
    rows = []
    for found in results.load("biglist")["sizes"].values():
        for kind, one in found["kinds"].items():
            what = f"{found['numbers'] / 1e6:g} million {kind}, {one['bytes'] / 1e9:.1f} GB"
            rows += [(what, *_of_list(name, one["rounds"], one["mean"])) for name in one["rounds"][0]]
    header = ("a list of", "with", "processor time, ours being 1", "time, ours being 1", "peak memory, MB", "mean")
    return table(header, rows)


def _of_list(name: str, rounds: Sequence[Mapping[str, Mapping[str, Any]]], right: str) -> tuple[str, ...]:
    processor, clock = (ratios(rounds, name, "courier", key) for key in ("seconds", "wall seconds"))
    memory = max(one[name]["peak MB"] for one in rounds)
    return name, processor, clock, f"{memory:,.0f}", exactness(rounds[0][name]["mean"], right)


def exactness(found: str, right: str) -> str:
    """Return how right a figure is: to all 17 digits, to those that a float has, or which it is instead."""
    if found == right:
        return "exact"
    return "the nearest float" if float(found) == float(right) else f"`{found}` for `{right}`"


def images_on_two_cores(one: Mapping[str, float]) -> float:
    """Return the images per second of a round on two cores of their own, plain Pillow in one process being 1."""
    return 2 * one["plain Pillow"] / sum(one[part] for part in BATCH_PARTS)


def batch() -> str:
    """Return the table of a folder of images, from end to end."""
    found = results.load("batch")
    rounds = found["rounds"]
    rows = [(part, spread(one[part] / one["plain Pillow"] for one in rounds)) for part in BATCH_PARTS]
    both = spread(map(images_on_two_cores, rounds))
    share = spread(one["the busiest of them"] / one["image processes"] for one in rounds)
    more = [
        ("the busier of two image processes, of both", share),
        ("images per second on two cores of their own", both),
    ]
    return table((f"{found['images']} images, plain Pillow being 1", "processor time"), [*rows, *more])


def uploads() -> str:
    """Return the table of an upload in parts."""
    found = results.load("uploads")
    rows = []
    for latency in found["rounds"][0]:
        ways = [one[latency] for one in found["rounds"]]
        ratio = spread(one["one at a time"]["seconds"] / one["several"]["seconds"] for one in ways)
        rows.append((f"{float(latency) * 1e3:g} ms", ratio))
    titles = ("held for each part", "time of one at a time, several being 1")
    return table(titles, rows)


def images() -> str:
    """Return the table of operations on images beside other libraries."""
    found = {target: rows for target, rows in results.load("images").items() if target != "measured on"}
    others = [name for name in next(iter(found["JPEG"].values())) if name != "courier"]
    rows = (
        (f"`{operation}`", target, *(_beside(times[name], times["courier"]) for name in others))
        for target, operations in found.items()
        for operation, times in operations.items()
    )
    return table(("operation", "source", *others), rows)


def _beside(theirs: float | None, ours: float) -> str:
    return "-" if theirs is None else f"{theirs / ours:.1f}"
