"""Simulate the autoscaled fleet: workers needed, waits and instance hours, beside one big machine; choose its policy.

    python -m bench.fleet             simulate all loads and the policies
    python -m bench.fleet --check     hold the model to the local AWS; exit with 1 if a wait is off by more than 20 %

Measured, by other benchmarks: processor time of lists, calls and images. Simulated: everything else. The model is in
`bench.fleet_queue`, `bench.fleet_model` and `bench.fleet_scaling`, what it is held to in `bench.fleet_check`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from simpy import Environment

from bench import fleet_check, results
from bench.fleet_model import Service
from bench.fleet_queue import Job, Queue, arrive
from bench.fleet_scaling import Group, Machine, Policy
from courier.messaging.config import WorkerConfig
from courier.numbers.handler import CAPACITY

#: Assumed: what a call to SQS takes on its way, in seconds.
CALL_SECONDS = 0.01
#: The instances of a group. Those that are there before the load have been idle for an hour.
MICRO = Machine(name="t3.micro", cores=2, earns=0.2)
IDLE_SECONDS = 3600.0
#: One big machine: the smallest of these whose cores the work keeps busy to this share at most.
BIG = tuple(
    Machine(name=f"c6i.{size}", cores=cores)
    for size, cores in (("large", 2), ("xlarge", 4), ("2xlarge", 8), ("4xlarge", 16), ("8xlarge", 32))
)
BUSY_SHARE = 0.7
MOST_INSTANCES = 100
#: One big machine needs no time to scale, so a load that stays is simulated this long at most.
BIG_SECONDS = 600.0
#: After the load, work goes on until nothing waits, for at most this long.
DRAIN_SECONDS = 6 * 3600.0
HOUR = 3600.0


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A part of a load, in seconds and requests an hour; they come independently of each other (Poisson)."""

    seconds: float
    lists: float = 0.0
    images: float = 0.0


def steady(requests: float, seconds: float) -> list[Phase]:
    """Return a load of that many requests an hour, of which a tenth are images."""
    return [Phase(seconds=seconds, lists=0.9 * requests, images=0.1 * requests)]


#: A lesson of an hour: fifty lists from each of thirty people, and twice a folder of twenty images from all at once.
_LESSON = Phase(seconds=600, lists=1500)
_FOLDERS = Phase(seconds=60, lists=1500, images=30 * 20 * 60)
CLASS = [_LESSON, _FOLDERS, replace(_LESSON, seconds=1740), _FOLDERS, replace(_LESSON, seconds=1140)]
_QUIET = Phase(seconds=600, lists=9000, images=1000)
LOADS: dict[str, list[Phase]] = {
    "a class of thirty": CLASS,
    "10,000 an hour": steady(1e4, 2 * HOUR),
    "100,000 an hour": steady(1e5, HOUR),
    "1,000,000 an hour": steady(1e6, HOUR / 2),
    "1,000,000 lists an hour": [Phase(seconds=HOUR * 2 / 3, lists=1e6)],
    "a burst: 200,000 an hour for ten minutes": [_QUIET, *steady(2e5, 600), replace(_QUIET, seconds=2400)],
}
#: What the policies are compared by: two that come at once, and one that stays.
SWEPT_LOADS: dict[str, list[Phase]] = {
    "3,000 images in a minute": [_LESSON, Phase(seconds=60, images=3000 * 60), replace(_LESSON, seconds=2700)],
    "10,000 images in ten minutes": [_LESSON, Phase(seconds=600, images=10_000 * 6), replace(_LESSON, seconds=3600)],
    "10,000 images an hour": [Phase(seconds=2 * HOUR, images=1e4)],
}
#: The policies: waiting requests per instance, seconds of warm-up; and the most instances that a group may have.
BACKLOGS = (30, 100, 200, 400, 800)
WARM_UPS = (60, 300, 600)
SWEPT_SIZES = (4, 20)


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Processor time as other benchmarks measured it, in seconds of a core."""

    call: float
    list: float
    images: Sequence[float]

    @classmethod
    def measured(cls) -> Costs:
        """Return what is kept in bench/results."""
        rounds = results.load("throughput")["rounds"]
        request = statistics.median(one["courier"]["CPU ms/request"] for one in rounds) / 1000
        calls = statistics.median(one["courier"]["calls/request"] for one in rounds)
        profile = results.load("profile")
        share = profile["parts"]["calls to AWS"] / profile["all"]
        batch = results.load("batch")
        around = statistics.median(one["worker"] for one in batch["rounds"]) / batch["images"]
        kinds = (row["courier"] for target in ("JPEG", "PNG") for row in results.load("images")[target].values())
        call = request * share / calls
        # A worker's part of an image has its calls to SQS, too, which the model adds.
        return cls(call=call, list=request * (1 - share), images=[one + around - 3 * call for one in kinds])


def applications(env: Environment, machine: Machine, costs: Costs) -> dict[str, tuple[Queue, Service, int]]:
    """Return queue, service and processes of both applications, as an instance of that kind has them."""
    plain = Service(
        concurrency=WorkerConfig().concurrency,
        capacity=CAPACITY,
        call_cpu_seconds=costs.call,
        receive_seconds=CALL_SECONDS,
        send_seconds=CALL_SECONDS,
        delete_seconds=CALL_SECONDS,
    )
    images = replace(plain, concurrency=machine.cores, capacity=machine.cores, is_in_process=False)
    return {"lists": (Queue(env), plain, machine.cores), "images": (Queue(env), images, 1)}


def moments(phases: Sequence[Phase], kind: str, chosen: random.Random) -> Iterator[float]:
    """Yield when requests of a kind are sent, in seconds from the load's begin."""
    begin = 0.0
    for phase in phases:
        rate, now, end = getattr(phase, kind) / HOUR, begin, begin + phase.seconds
        while rate and (now := now + chosen.expovariate(rate)) < end:
            yield now
        begin = end


def jobs(phases: Sequence[Phase], kind: str, costs: Costs, seed: int) -> Iterator[Job]:
    """Yield the requests of a kind; an image takes what one of the measured operations does."""
    chosen = random.Random(f"{seed} {kind}")
    for moment in moments(phases, kind, chosen):
        work = chosen.choice(costs.images) if kind == "images" else costs.list
        yield Job(sent_at=moment, work_seconds=work)


def simulate(phases: Sequence[Phase], policy: Policy, machine: Machine = MICRO, seed: int = 7) -> dict[str, Any]:
    """Return what becomes of a load: waits by kind, instances, hours that are paid, calls."""
    env, costs, length = Environment(), Costs.measured(), sum(phase.seconds for phase in phases)
    served = applications(env, machine, costs)
    group = Group(env, policy, machine, list(served.values()), idle_seconds=IDLE_SECONDS)
    for kind, (queue, _, _) in served.items():
        env.process(arrive(env, queue, jobs(phases, kind, costs, seed)))
    env.run(until=length)
    found = {
        "hours": length / HOUR,
        "instance hours": group.seconds() / HOUR,
        "most instances": group.most,
        "instances at the end": len(group.alive),
        "calls": sum(queue.calls for queue, _, _ in served.values()),
        "cores busy": sum(cpu.used for cpu in group.cpus) / length,
    }
    drain(env, [queue for queue, _, _ in served.values()])
    waits = {kind: waited(queue, length) for kind, (queue, _, _) in served.items() if queue.waits}
    in_flight = max(queue.most_in_flight for queue, _, _ in served.values())
    return {**found, "most in flight": in_flight, "waits": waits}


def drain(env: Environment, queues: Sequence[Queue]) -> None:
    """Go on until nothing waits, since what waits longest would not count otherwise."""
    until = env.now + DRAIN_SECONDS
    while any(queue.visible for queue in queues) and env.now < until:
        env.run(until=env.now + 60)


def waited(queue: Queue, length: float) -> dict[str, float]:
    """Return what requests waited, in seconds: of all, and of those that were sent in the last third."""
    every = [wait for _, wait in queue.waits]
    late = [wait for sent_at, wait in queue.waits if sent_at > length * 2 / 3] or [0.0]
    shares = {name: results.percentile(every, share) for name, share in (("p50", 0.5), ("p95", 0.95), ("worst", 1))}
    return {"requests": len(every), **shares, "p95 of the last third": results.percentile(late, 0.95)}


def big_machine(cores_busy: float) -> Machine:
    """Return the smallest machine that has room for the work; else the largest."""
    return next((one for one in BIG if cores_busy <= BUSY_SHARE * one.cores), BIG[-1])


def sweep(pool: Executor) -> list[dict[str, Any]]:
    """Return what each policy makes of each load in groups of each size: the wait of 95 % of images, and hours."""
    cases = list(itertools.product(BACKLOGS, WARM_UPS, SWEPT_SIZES, SWEPT_LOADS))
    rows: dict[tuple[int, int], dict[str, Any]] = {}
    for (backlog, warm_up, most, load), found in zip(cases, pool.map(_swept, *zip(*cases, strict=True)), strict=True):
        row = rows.setdefault((backlog, warm_up), {"backlog": backlog, "warm-up": warm_up, "groups": {}})
        row["groups"].setdefault(f"1-{most}", {})[load] = found
    for row in rows.values():
        row["score"] = score([one for loads in row["groups"].values() for one in loads.values()])
    return list(rows.values())


def _swept(backlog: int, warm_up: int, most: int, load: str) -> dict[str, float]:
    found = simulate(SWEPT_LOADS[load], Policy(backlog=backlog, warm_up_seconds=warm_up, most=most))
    return {"p95": found["waits"]["images"]["p95"], "hours": found["instance hours"]}


def score(cases: Sequence[Mapping[str, float]]) -> float:
    """Return wait times hours, as a geometric mean: one percent less to wait is worth one percent more to pay."""
    return statistics.geometric_mean(one["p95"] * one["hours"] for one in cases)


def chosen(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the row with the least score."""
    return min(rows, key=lambda row: row["score"])


def policy_of(row: Mapping[str, Any]) -> Policy:
    """Return a row's policy, for the loads."""
    return Policy(backlog=row["backlog"], warm_up_seconds=row["warm-up"], most=MOST_INSTANCES)


def scenario(name: str, policy: Policy) -> dict[str, Any]:
    """Return what becomes of a load: on the group, and on one big machine."""
    phases = LOADS[name]
    group = simulate(phases, policy)
    machine = big_machine(group["cores busy"])
    if len(phases) == 1:
        phases = [replace(phases[0], seconds=min(BIG_SECONDS, phases[0].seconds))]
    return {"group": group, "big": {"machine": machine.name, **simulate(phases, replace(policy, most=1), machine)}}


def measure() -> dict[str, Any]:
    """Hold the model to the local AWS, and simulate all of it. Raises: AssertionError if the model is off."""
    check = fleet_check.measure()
    assert fleet_check.is_within_bounds(check), json.dumps(check)
    return {"check": check, **simulation()}


def simulation() -> dict[str, Any]:
    """Return what went into the model, what policies make of their loads, and the chosen one of all loads."""
    costs = Costs.measured()
    with ProcessPoolExecutor() as pool:
        rows = sweep(pool)
        names = sorted(LOADS, key=_requests, reverse=True)  # the longest one first
        loads = dict(zip(names, pool.map(scenario, names, itertools.repeat(policy_of(chosen(rows)))), strict=True))
    return {
        "milliseconds": {
            "call": costs.call * 1000,
            "list": costs.list * 1000,
            "image": statistics.fmean(costs.images) * 1000,
        },
        "policies": rows,
        "loads": {name: loads[name] for name in LOADS},
    }


def _requests(name: str) -> float:
    return sum(phase.seconds * (phase.lists + phase.images) for phase in LOADS[name])


def main() -> int:
    """Simulate, or check, and print; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="hold the model to the local AWS instead")
    if not parser.parse_args().check:
        print(json.dumps(measure(), indent=1))
        return 0
    found = fleet_check.measure()
    print(json.dumps(found, indent=1))
    return 0 if fleet_check.is_within_bounds(found) else 1


if __name__ == "__main__":
    sys.exit(main())
