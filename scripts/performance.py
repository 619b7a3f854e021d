"""The tables of docs/explanation/performance.md, made from the figures that `python -m bench.report` has kept."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bench import results
from scripts.tables import table

#: Calls for a thousand requests that a table leaves out: those of the start.
FEW_CALLS = 50

#: What a worker and the local AWS spend.
CPU = "CPU s per 1,000"
ENGINE = "engine's CPU s per 1,000"

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


def latency() -> str:
    """Return the table of what people wait for, and of what an idle worker costs."""
    found = results.load("latency")
    medians = {name: statistics.median(seconds) for name, seconds in found["seconds"].items()}
    idle = found["idle"]
    polls = idle["calls"]["ReceiveMessage"] * 60 / idle["seconds"]

    return table(
        ("what", "figure"),
        (
            ("a round trip, one through two bare boto3 loops being 1", f"{medians['courier'] / medians['bare']:.2f}"),
            (f"receive calls of an idle worker a minute, over {idle['seconds']} s", f"{polls:.1f}"),
        ),
    )


def crowd() -> str:
    """Return the table of crowds on the shared reply queue and on private ones."""
    found = results.load("crowd")["rounds"]

    def beside(clients: str, share: float) -> str:
        return spread(
            (
                _percentile(one[clients]["shared"]["seconds"], share)
                / _percentile(one[clients]["private"]["seconds"], share)
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


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def lists() -> str:
    """Return the table of full messages beside NumPy's floats."""
    rounds = results.load("lists")["rounds"]
    rows = ((kind, spread(one[kind]["NumPy's floats"] / one[kind]["courier"] for one in rounds)) for kind in rounds[0])
    return table(("a full message (1 MiB) of", "processor time of NumPy's floats, ours being 1"), rows)


def biglist() -> str:
    """Return the table of a list of 200 MB."""
    found = results.load("biglist")
    rows = []
    for kind, one in found["kinds"].items():
        for name in one["rounds"][0]:
            runs = [each[name] for each in one["rounds"]]
            time = spread(each[name]["seconds"] / each["courier"]["seconds"] for each in one["rounds"])
            memory = max(run["peak MB"] for run in runs)
            exact = "exact" if runs[0]["mean"] == one["mean"] else f"`{runs[0]['mean']}` for `{one['mean']}`"
            rows.append((f"{found['numbers'] / 1e6:g} million {kind}", name, time, f"{memory:.0f}", exact))
    return table(("a list of", "with", "processor time, ours being 1", "peak memory, MB", "mean"), rows)


def batch() -> str:
    """Return the table of a folder of images, from end to end."""
    found = results.load("batch")
    rounds = found["rounds"]
    parts = ("image processes", "worker", "local AWS", "client")
    rows = [(part, spread(one[part] / one["plain Pillow"] for one in rounds)) for part in parts]
    both = spread(2 * one["plain Pillow"] / sum(one[part] for part in parts) for one in rounds)
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


#: What a contestant does for a request beyond the work, which its figures include.
DOES = {
    "bare": "nothing else",
    "naive": "nothing else",
    "with_courier": "responses, rejections, deadlines, retries, extended visibility, orderly end",
    "with_sqs_workers": "retries with a delay; its processor gets ten messages at once and responds to all by one call",
    "with_fanferro": "retries, dead letters, extended visibility, orderly end; each handler responds by a call",
    "with_taskiq": "orderly end; each handler responds by a call",
    "with_dramatiq": "retries, time limits, orderly end; each handler responds by a call",
    "with_celery": "late acknowledgement, orderly end; each handler responds by a call",
}


#: What each contestant is installed as.
PACKAGES = {
    "with_sqs_workers": "sqs-workers",
    "with_fanferro": "fanferro",
    "with_taskiq": "taskiq-aio-sqs",
    "with_dramatiq": "dramatiq-sqs",
    "with_celery": "celery",
}


def peers() -> str:
    """Return the table of contestants with a backlog."""
    found = results.load("peers")
    rounds, rows = found["backlog"], []
    for name in _ran(found):
        cases = [[one[case] for one in rounds] for case in rounds[0]]
        speeds = (ratios(case, name, "bare", "requests/s") for case in cases)
        first = [case[name] for case in cases[0]]
        calls = statistics.median(sum(one["calls per 1,000"].values()) for one in first)
        costs = ratios(cases[0], name, "bare", "CPU s per 1,000"), f"{calls:,.0f}"
        memory = f"{max(one['peak MB'] for one in first):.0f}"
        version = found["installed"].get(PACKAGES.get(name, ""), "")
        rows.append((f"{found['names'][name]} {version}".strip(), *speeds, *costs, memory))
    return table(
        (
            f"{found['requests']:,} requests",
            *(f"requests/s, {case}" for case in rounds[0]),
            "processor time",
            "calls per 1,000",
            "MB",
        ),
        rows,
    )


def peer_calls() -> str:
    """Return the table of calls by kind, and what each contestant does for them."""
    found = results.load("peers")
    rows = []
    for name in _ran(found):
        runs = [one["17 numbers, 0 ms"][name]["calls per 1,000"] for one in found["backlog"]]
        kinds = {kind: statistics.median(run.get(kind, 0) for run in runs) for kind in runs[0]}
        shown = (f"{kind} {count:,.0f}" for kind, count in kinds.items() if count >= FEW_CALLS)
        rows.append((found["names"][name], ", ".join(shown), DOES[name]))
    return table(("", "calls for 1,000 requests of 17 numbers", "what else it does"), rows)


def peer_waiting() -> str:
    """Return the table of contestants with nothing to do."""
    idle, names = results.load("peers")["idle"], results.load("peers")["names"]
    base = statistics.median(idle["bare"]["round trips"])
    rows = (
        (
            names[name],
            f"{sum(one['calls'].values()) * 60 / one['seconds']:.0f}",
            f"{statistics.median(one['round trips']) / base:.1f}",
        )
        for name, one in idle.items()
    )
    return table(("", "calls a minute", "round trip"), rows)


def peer_ends() -> str:
    """Return the table of what becomes of requests whose worker ends."""
    found = results.load("peers")
    count = next(iter(found["ends"]["SIGTERM"].values()))["requests"]

    def row(name: str, one: Mapping[str, float]) -> tuple[str, ...]:
        shown = (f"{one[key]:.0f}" for key in ("hidden", "seconds until all is answered", "lost", "left", "doubled"))
        return (found["names"][name], *shown)

    rows = ((*row(name, one), title) for title, ended in found["ends"].items() for name, one in ended.items())
    header = (
        f"of {count} requests",
        "hidden then",
        "seconds until the last response",
        "lost",
        "left hidden",
        "doubled",
    )
    return table((header[0], "ended by", *header[1:]), ((one[0], one[-1], *one[1:-1]) for one in rows))


def _ran(found: Mapping[str, Any]) -> list[str]:
    """Return the contestants that were there, in the order of the page."""
    case = next(iter(found["backlog"][0].values()))
    return [name for name in found["names"] if name in case]


def _beside(theirs: float | None, ours: float) -> str:
    return "-" if theirs is None else f"{theirs / ours:.1f}"
