"""Hold the model to reality at small size: the same requests at the same moments, on the local AWS and simulated.

Workers whose handler sleeps for a known time serve a Poisson load, 1, 2 and 4 of them on a queue each, at once. The
model is given what was measured meanwhile: for each request, how long it took its worker from the begin of its work
to its deletion; and how long a receive takes to bring what is there. How long requests wait is its own: from when
one was sent to when its handler began.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simpy import Environment

from bench import results
from bench.fleet_model import Cpu, Service, Worker
from bench.fleet_queue import Job, Queue, arrive
from bench.running import running
from bench.throughput import create_queues, request_attributes
from tests.support.engines import Engine, fresh_account

#: For each number of workers, what share of their handlers' time the sleeps take. The more workers, the busier they
#: have to be for requests to wait for seconds, beside which what a busy machine adds to a poll is little.
WORKERS = {1: 0.8, 2: 0.9, 4: 1.0}
#: The handlers of each worker, and the mean of what these sleep.
CONCURRENCY = 2
SLEEP_SECONDS = 1.0
#: How long requests are sent, how long work on the last of them may take to end, and the pause between two looks.
SEND_SECONDS = 40.0
END_SECONDS = 90.0
PAUSE_SECONDS = 0.5
#: How often the local AWS looks for messages during a long poll.
LOOK_SECONDS = 0.1
#: How far simulated and measured waits may be apart, as a ratio.
BOUNDS = (0.8, 1.2)
#: The threads that send, which wait for the local AWS and for the moments of their requests.
SENDERS = 16

Planned = tuple[float, float]


@dataclass(kw_only=True)
class Place:
    """An account with queues, and what was sent there: when, for each request."""

    client: Any
    url: str
    account: str
    notes: Path
    sent: dict[int, float]

    def send(self, number: int, at: float, seconds: float) -> None:
        """Send a request at a moment, in seconds since the epoch."""
        time.sleep(max(0.0, at - time.time()))
        before = time.time()
        self.client.send_message(
            QueueUrl=self.url,
            MessageBody=f"{number} {seconds}",
            DelaySeconds=0,
            MessageAttributes=request_attributes(f"{number:032x}"),
        )
        # The queue has had it since some moment between both.
        self.sent[number] = (before + time.time()) / 2

    def noted(self, what: str) -> dict[int, tuple[float, float]]:
        """Return the begin and the end of what the workers noted, by request."""
        lines = self.notes.read_text().splitlines() if self.notes.exists() else []
        found = (line.split() for line in lines)
        return {int(number): (float(began), float(ended)) for name, number, began, ended in found if name == what}


def planned(workers: int, seed: int) -> list[Planned]:
    """Return the moments and the work, in seconds, of a Poisson load for that number of workers."""
    chosen, now, found = random.Random(seed), 0.0, []
    rate = WORKERS[workers] * workers * CONCURRENCY / SLEEP_SECONDS
    while now < SEND_SECONDS:
        found.append((now, round(chosen.expovariate(1 / SLEEP_SECONDS), 3)))
        now += chosen.expovariate(rate)
    return found


def make_place(engine: Engine, folder: Path) -> Place:
    """Create queues in a fresh account."""
    account = fresh_account()
    client, url = create_queues(engine, account)
    return Place(client=client, url=url, account=account, notes=folder / account, sent={})


def serve(engine: Engine, folder: Path, seed: int) -> dict[int, Place]:
    """Run all numbers of workers at once, each under its load, until all work is done; return where."""
    loads = {workers: planned(workers, seed) for workers in WORKERS}
    places = {workers: make_place(engine, folder) for workers in WORKERS}
    with ExitStack() as stack:
        for workers, place in places.items():
            command = ["-m", "bench.sleeping_worker", str(CONCURRENCY), str(place.notes)]
            for _ in range(workers):
                stack.enter_context(running(command, engine.environment(place.account)))
        senders = stack.enter_context(ThreadPoolExecutor(SENDERS))
        start = time.time() + 1
        every = [(at, number, seconds, n) for n, load in loads.items() for number, (at, seconds) in enumerate(load)]
        for at, number, seconds, workers in sorted(every):
            senders.submit(places[workers].send, number, start + at, seconds)
        while any(len(place.noted("deleted")) < len(loads[workers]) for workers, place in places.items()):
            assert time.time() < start + SEND_SECONDS + END_SECONDS, "requests were sent that were not deleted"
            time.sleep(PAUSE_SECONDS)
    return places


def measured(place: Place) -> list[float]:
    """Return how long requests waited, in seconds."""
    return [max(0.0, began - place.sent[number]) for number, (began, _) in place.noted("worked").items()]


def receive_seconds(place: Place) -> float:
    """Return how long it takes, on average, from the begin of a receive to that of the work on what was there."""
    begun = place.noted("worked")
    return statistics.fmean(
        begun[number][0] - called
        for number, (called, _) in place.noted("received").items()
        if place.sent[number] < called
    )


def simulated(place: Place, workers: int) -> list[float]:
    """Return how long the same requests wait in the model."""
    start, begun = min(place.sent.values()), place.noted("worked")
    jobs = [
        Job(sent_at=place.sent[number] - start, work_seconds=deleted - begun[number][0])
        for number, (_, deleted) in place.noted("deleted").items()
    ]
    env = Environment(-1)  # its workers wait when the first request comes
    queue, cpu = Queue(env, look_seconds=LOOK_SECONDS), Cpu(env, cores=1)
    service = Service(
        concurrency=CONCURRENCY, capacity=CONCURRENCY, receive_seconds=receive_seconds(place), is_sleep=True
    )
    for _ in range(workers):
        Worker(env, queue, service, cpu)
    env.process(arrive(env, queue, sorted(jobs, key=lambda job: job.sent_at)))
    env.run(until=2 * (SEND_SECONDS + END_SECONDS))
    return [wait for _, wait in queue.waits]


def compared(waits: Sequence[float], model: Sequence[float]) -> dict[str, Any]:
    """Return mean and 95th percentile of both, and the ratios, simulated by measured."""
    figures = {
        name: {"mean": statistics.fmean(values), "p95": results.percentile(values, 0.95)}
        for name, values in (("measured", waits), ("simulated", model))
    }
    ratios = {key: figures["simulated"][key] / figures["measured"][key] for key in ("mean", "p95")}
    return {"requests": len(waits), **figures, "ratio": ratios}


def measure(seed: int = 7) -> dict[str, Any]:
    """Return, for each number of workers, waits that were measured and simulated, and what calls took."""
    with tempfile.TemporaryDirectory() as name:
        engine = Engine(name="ministack", folder=Path(name, "engine")).start()
        try:
            places = serve(engine, Path(name), seed)
        finally:
            engine.stop()
        rows = {
            str(workers): {
                "seconds of a receive": receive_seconds(place),
                **compared(measured(place), simulated(place, workers)),
            }
            for workers, place in places.items()
        }
    return {"workers": rows}


def is_within_bounds(found: dict[str, Any]) -> bool:
    """Whether every ratio is within `BOUNDS`."""
    ratios = [ratio for row in found["workers"].values() for ratio in row["ratio"].values()]
    return all(BOUNDS[0] <= ratio <= BOUNDS[1] for ratio in ratios)
