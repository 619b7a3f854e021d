"""The table of what was aimed at, beside what `python -m bench.all` has found."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from operator import ge, le

from bench import results
from scripts.performance import idle_polls, images_on_two_cores
from scripts.tables import table

_AT_LEAST, _AT_MOST = "at least", "at most"
_COMPARED: dict[str, Callable[[float, float], bool]] = {_AT_LEAST: ge, _AT_MOST: le}


@dataclass(frozen=True, kw_only=True)
class Aim:
    """What is aimed at: a bound, and what was found."""

    what: str
    bound: str
    wanted: float
    found: float

    @property
    def row(self) -> tuple[str, str, str, str]:
        """Return its row; a figure counts as it is shown."""
        shown = f"{self.found:.3g}" if self.found >= 1 else f"{self.found:.2f}"
        is_met = _COMPARED[self.bound](float(shown), self.wanted)
        return self.what, f"{self.bound} {self.wanted:g}", shown, "yes" if is_met else "no"


def aims() -> str:
    """Return the table of all aims."""
    rows = (aim.row for aim in (*_of_workers(), *_of_lists(), *_of_images(), *_of_the_fleet()))
    return table(("what", "aim", "found", "met"), rows)


def _of_workers() -> list[Aim]:
    rounds = results.load("throughput")["rounds"]
    pairs = [(one["courier"], one["bare"]) for one in rounds]
    speed = statistics.median(ours["requests/s"] / bare["requests/s"] for ours, bare in pairs)
    spent = statistics.median(ours["CPU ms/request"] / bare["CPU ms/request"] for ours, bare in pairs)
    return [
        Aim(what="requests per second, a bare loop being 1", bound=_AT_LEAST, wanted=0.95, found=speed),
        Aim(what="processor time, a bare loop's being 1", bound=_AT_MOST, wanted=1.15, found=spent),
        Aim(what="requests per second, Celery being 1", bound=_AT_LEAST, wanted=5, found=_beside_celery()),
        Aim(what="requests that were lost when a worker was ended", bound=_AT_MOST, wanted=0, found=_lost()),
        *_of_processes(),
        Aim(
            what="receive calls of an idle worker a minute",
            bound=_AT_MOST,
            wanted=3.1,
            found=idle_polls(results.load("latency")["idle"]),
        ),
    ]


def _beside_celery() -> float:
    """Return the least median of all cases."""
    rounds = results.load("peers")["backlog"]
    return min(
        statistics.median(
            float(one[case]["with_courier"]["requests/s"] / one[case]["with_celery"]["requests/s"]) for one in rounds
        )
        for case in rounds[0]
    )


def _lost() -> float:
    ended = results.load("peers")["ends"].values()
    return sum(float(one["with_courier"]["lost"]) + float(one["with_courier"]["left"]) for one in ended)


def _of_processes() -> list[Aim]:
    rounds = results.load("processes")["rounds"]
    found = []
    for case in rounds[0]:
        pairs = [(one[case]["courier 1"], one[case]["courier 2"]) for one in rounds]
        what = f"requests per second of two processes, one being 1: {case}"
        ratio = statistics.median(two["requests/s"] / one["requests/s"] for one, two in pairs)
        found.append(Aim(what=what, bound=_AT_LEAST, wanted=1.7, found=ratio))
    return found


def _of_lists() -> list[Aim]:
    found = results.load("lists")
    rounds = found["rounds"]
    beside = [
        Aim(
            what=f"processor time of NumPy's floats for a full message of {kind}, ours being 1",
            bound=_AT_LEAST,
            wanted=3.5,
            found=statistics.median(one[kind]["NumPy's floats"] / one[kind]["courier"] for one in rounds),
        )
        for kind in rounds[0]
    ]
    short = Aim(
        what="microseconds from 17 numbers to their answer", bound=_AT_MOST, wanted=60, found=found["17 numbers, µs"]
    )
    return [*beside, short]


def _of_images() -> list[Aim]:
    rounds = results.load("batch")["rounds"]
    both = statistics.median(map(images_on_two_cores, rounds))
    what = "images per second from end to end on two cores, plain Pillow in one process being 1"
    return [Aim(what=what, bound=_AT_LEAST, wanted=0.9, found=both)]


def _of_the_fleet() -> list[Aim]:
    workers = results.load("fleet")["check"]["workers"].values()
    off = max(abs(ratio - 1) for one in workers for ratio in one["ratio"].values())
    return [Aim(what="simulated waits, off from measured ones by a share of", bound=_AT_MOST, wanted=0.2, found=off)]
