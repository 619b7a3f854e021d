"""What each contestant is tried at: a backlog, an empty queue, and a sudden or an orderly end."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from bench.peers.stage import Stage, requests, wait_until
from tests.support.engines import Engine

#: How long a backlog may take.
BACKLOG_SECONDS = 600
#: In how long nothing must happen for what is left to be called left: more than the visibility timeout, by far.
QUIET_SECONDS = 45


def backlog(engine: Engine, name: str, python: Path, count: int, numbers: int, delay_ms: float) -> dict[str, Any]:
    """Return what one worker process makes of waiting requests."""
    with closing(Stage(engine, name, python)) as stage:
        stage.send(requests(count, numbers))
        if delay_ms:
            stage.meter.fail("latency", seconds=delay_ms / 1000)
        stage.start()
        finished = wait_until(lambda: stage.is_done(count), BACKLOG_SECONDS)
        seconds = stage.meter.ended - stage.meter.began
        return {
            "finished": finished,
            "requests/s": count / seconds if seconds > 0 else 0.0,
            "CPU s per 1,000": stage.spent() * 1000 / count,
            "calls per 1,000": {kind: calls * 1000 / count for kind, calls in stage.meter.calls.items()},
            "peak MB": stage.peak_megabytes(),
        }


def idle(engine: Engine, names: list[str], python: Path, seconds: float, trips: int) -> dict[str, Any]:
    """Return the calls of idle workers, all at once, and then the seconds of round trips, in turn."""
    with ExitStack() as stack:
        stages = {name: stack.enter_context(closing(Stage(engine, name, python))) for name in names}
        for stage in stages.values():
            stage.start()
        time.sleep(5)
        for stage in stages.values():
            stage.meter.calls.clear()
        time.sleep(seconds)
        found: dict[str, Any] = {
            name: {"seconds": seconds, "calls": dict(stage.meter.calls)} for name, stage in stages.items()
        }
        makers = {name: stack.enter_context(_trips(stage)) for name, stage in stages.items()}
        times: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(trips + 1):
            for name, maker in makers.items():
                times[name].append(next(maker))
        return {name: {**one, "round trips": times[name][1:]} for name, one in found.items()}


@contextmanager
def _trips(stage: Stage) -> Iterator[Iterator[float]]:
    """Give the seconds of one round trip after the other; infinite when there is no response."""
    sender = stage.sender()
    assert sender.stdin is not None
    requested = sender.stdin

    def one_by_one() -> Iterator[float]:
        for request_id, numbers in requests(1000, 17).items():
            started = time.perf_counter()
            requested.write(f"{request_id} {numbers}\n".encode())
            requested.flush()
            yield time.perf_counter() - started if stage.collect(wait_seconds=20) else float("inf")

    yield one_by_one()
    sender.kill()
    sender.wait()


def end(engine: Engine, name: str, python: Path, count: int, number: int) -> dict[str, Any]:
    """Return what becomes of requests when the worker is ended amid them, and another one started."""
    with closing(Stage(engine, name, python)) as stage:
        sent = requests(count, 1000)
        stage.send(sent)
        stage.meter.fail("latency", seconds=0.01)
        stage.start()
        wait_until(lambda: stage.count("responseQueue") >= count // 3, BACKLOG_SECONDS, every=0.01)
        ended_in_time = stage.end(number)
        hidden = stage.count("requestQueue", "NotVisible")
        answered = stage.count("responseQueue")
        started = time.monotonic()
        stage.start()
        last = started
        while time.monotonic() - last < QUIET_SECONDS and not _is_over(stage, sent):
            last = time.monotonic() if stage.collect(wait_seconds=1) else last
        left = stage.count("requestQueue") + stage.count("requestQueue", "NotVisible")
        stage.collect()
        return {
            "requests": count,
            "answered before": answered,
            "hidden": hidden,
            "seconds until all is answered": last - started,
            "left": left,
            "lost": max(0, count - len(stage.responses) - left),
            "doubled": sum(stage.responses.values()) - len(stage.responses),
            "ended in time": ended_in_time,
        }


def _is_over(stage: Stage, sent: dict[str, str]) -> bool:
    """Whether every request has its response and nothing is left to answer again."""
    if sent.keys() - stage.responses.keys():
        return False
    return not stage.count("requestQueue") and not stage.count("requestQueue", "NotVisible")


ENDS = {"kill -9": signal.SIGKILL, "SIGTERM": signal.SIGTERM}
