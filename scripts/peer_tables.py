"""The tables of docs/explanation/performance.md that put this project beside others, as `bench.peers` measured them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

from bench import results
from scripts.performance import ratios
from scripts.tables import table

#: Calls for a thousand requests that a table leaves out: those of the start.
FEW_CALLS = 50
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


def backlog() -> str:
    """Return the table of contestants with a backlog."""
    found = results.load("peers")
    rounds, rows = found["backlog"], []
    for name in _ran(found):
        cases = [[one[case] for one in rounds] for case in rounds[0]]
        speeds = (ratios(case, name, "bare", "requests/s") for case in cases)
        first = [case[name] for case in cases[0]]
        number = statistics.median(sum(one["calls per 1,000"].values()) for one in first)
        costs = ratios(cases[0], name, "bare", "CPU s per 1,000"), f"{number:,.0f}"
        memory = f"{max(one['peak MB'] for one in first):.0f}"
        version = found["installed"].get(PACKAGES.get(name, ""), "")
        rows.append((f"{found['names'][name]} {version}".strip(), *speeds, *costs, memory))
    return table(
        (
            f"{found['requests']:,} requests, rounds: {len(rounds)}",
            *(f"requests/s, {case}" for case in rounds[0]),
            "processor time",
            "calls per 1,000",
            "MB",
        ),
        rows,
    )


def calls() -> str:
    """Return the table of calls by kind, and what each contestant does for them."""
    found = results.load("peers")
    rows = []
    for name in _ran(found):
        runs = [one["17 numbers, 0 ms"][name]["calls per 1,000"] for one in found["backlog"]]
        kinds = {kind: statistics.median(run.get(kind, 0) for run in runs) for kind in runs[0]}
        shown = (f"{kind} {count:,.0f}" for kind, count in kinds.items() if count >= FEW_CALLS)
        rows.append((found["names"][name], ", ".join(shown), DOES[name]))
    return table(("", "calls for 1,000 requests of 17 numbers", "what else it does"), rows)


def waiting() -> str:
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


def ends() -> str:
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
