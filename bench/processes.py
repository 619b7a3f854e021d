"""What a second process of a worker brings on two cores, beside what the local AWS leaves for it.

    python -m bench.processes [--requests 1000] [--rounds 3]

Workers listen, are stopped (SIGSTOP) while the queue is filled, and go on; the time is that until the queue is
empty. One and two processes take turns in each round. Beside them, one and two bare boto3 loops on the same requests:
what they gain is what the local AWS, itself a process, has room for. The aim: 1.7 times, where it has.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench.peers.meter import own_seconds, processor_seconds, tree
from bench.running import running
from bench.throughput import create_queues, request_attributes
from tests.support.engines import Engine, fresh_account

#: The cases: the numbers of a request, and the programs with one process; "2" for "1" gives them two.
CASES = {
    "17 numbers": (17, ["numbers_worker.py", "--processes", "1"]),
    "1,000 numbers": (1000, ["numbers_worker.py", "--processes", "1"]),
    "10 ms of Python": (1, ["-m", "bench.computing_worker", "1", "10"]),
}
BARE = ["-m", "bench.counted", "bare", "--forever"]
#: Requests of 10 ms take as long as this many times more others.
FEWER = 4


def commands(program: Sequence[str], processes: int) -> list[list[str]]:
    """Return the commands of a worker with one process or two; of bare loops, one or two."""
    if program == BARE:
        return [BARE] * processes
    return [[str(processes) if word == "1" else word for word in program]]


@contextmanager
def serving(engine: Engine, account: str, started: Sequence[Sequence[str]]) -> Iterator[list[int]]:
    """Run the programs, frozen once they listen; yield all their processes."""
    with ExitStack() as stack:
        env = engine.environment(account)
        programs = [stack.enter_context(running(command, env)) for command in started]
        pids = [pid for process in programs for pid in tree(process.pid)]
        send_signal(pids, signal.SIGSTOP)
        stack.callback(send_signal, pids, signal.SIGCONT)
        yield pids


def send_signal(pids: Sequence[int], number: int) -> None:
    """Send a signal to several processes."""
    for pid in pids:
        os.kill(pid, number)


def fill(client: Any, url: str, count: int, numbers: int) -> None:
    """Send `count` requests, each of `numbers` numbers."""
    chosen = random.Random(7)
    for start in range(0, count, 10):
        entries = [
            {
                "Id": str(index),
                "MessageBody": ",".join(f"{chosen.uniform(-1000, 1000):.2f}" for _ in range(numbers)),
                "DelaySeconds": 0,
                "MessageAttributes": request_attributes(f"{index:032x}"),
            }
            for index in range(start, start + 10)
        ]
        client.send_message_batch(QueueUrl=url, Entries=entries)


def run(engine: Engine, case: str, processes: int, count: int, *, bare: bool = False) -> dict[str, float]:
    """Return what one contestant makes of a case."""
    numbers, program = CASES[case]
    account = fresh_account()
    client, url = create_queues(engine, account)
    with serving(engine, account, commands(BARE if bare else program, processes)) as pids:
        fill(client, url, count, numbers)
        before, engine_before = [own_seconds(pid) for pid in pids], processor_seconds(_pid(engine))
        send_signal(pids, signal.SIGCONT)
        started = time.perf_counter()
        while left(client, url):
            time.sleep(0.02)
        took = time.perf_counter() - started
        each = [own_seconds(pid) - earlier for pid, earlier in zip(pids, before, strict=True)]
        return {
            "requests/s": count / took,
            "CPU s per 1,000": sum(each) * 1000 / count,
            "busiest process's share": max(each) / sum(each),
            "engine's CPU s per 1,000": (processor_seconds(_pid(engine)) - engine_before) * 1000 / count,
        }


def left(client: Any, url: str) -> int:
    """Return how many requests a queue has, those in flight included."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    return sum(map(int, client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()))


def _pid(engine: Engine) -> int:
    assert engine.process is not None
    return engine.process.pid


def measure(requests: int = 1000, rounds: int = 3) -> dict[str, Any]:
    """Run all contestants in turn, `rounds` times; return the figures of each round."""
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(name="ministack", folder=Path(folder)).start()
        try:
            return {"requests": requests, "rounds": [_round(engine, requests) for _ in range(rounds)]}
        finally:
            engine.stop()


def _round(engine: Engine, requests: int) -> dict[str, dict[str, dict[str, float]]]:
    found: dict[str, dict[str, dict[str, float]]] = {}
    for case in CASES:
        is_python = case.endswith("Python")
        count = requests // FEWER // 10 * 10 if is_python else requests
        found[case] = {}
        for processes in (1, 2):
            found[case][f"courier {processes}"] = run(engine, case, processes, count)
            if not is_python:
                found[case][f"bare {processes}"] = run(engine, case, processes, count, bare=True)
        shown = "  ".join(f"{name} {one['requests/s']:.0f}/s" for name, one in found[case].items())
        print(f"{case:16} {shown}  load {os.getloadavg()[0]:.0f}", flush=True)
    return found


def main() -> None:
    """Measure and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    for one in measure(given.requests, given.rounds)["rounds"]:
        for case, figures in one.items():
            gains = (
                f"{name} {figures[f'{name} 2']['requests/s'] / figures[f'{name} 1']['requests/s']:.2f}"
                for name in ("courier", "bare")
                if f"{name} 2" in figures
            )
            print(f"{case:16} two processes / one: {', '.join(gains)}")


if __name__ == "__main__":
    main()
