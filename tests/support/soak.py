"""A long run with every fault on, and an account kept of every request. Outside the tests; run it manually.

    python -m tests.support.soak [--minutes 10] [--requests 20000] [--seed 1]

Four clients send batches of lists, and four more ask one thing after another, through a gate that misbehaves at
random; three workers are killed, frozen and stopped, and the local AWS is restarted with its data, at random too. In
the end every request must have been answered, by its own answer, exactly once. The faults end when the time
is over. Prints the figures; exits 1 if anything was lost, crossed or wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from courier.aws.credentials import CredentialRefresh
from courier.aws.session import Aws
from courier.aws.sqs import Mailbox
from courier.messaging.exchange import Exchange
from courier.messaging.pending import OutgoingRequest
from courier.messaging.protocol import Response
from tests.support.engines import Engine, fresh_account
from tests.support.gate import SERVER_ERROR, THROTTLED, UNAVAILABLE, Gate
from tests.support.place import Place, WorkerProcess

CLIENTS = 4
INTERACTIVE = 4
WORKERS = 3
LINES_A_BATCH = 250
NETWORK: list[tuple[str, dict[str, Any]]] = [
    ("reset", {}),
    ("cut", {}),
    ("answer", {"answer": SERVER_ERROR}),
    ("answer", {"answer": UNAVAILABLE}),
    ("answer", {"answer": THROTTLED}),
    ("latency", {"seconds": 0.5}),
    ("lost_answer", {}),
    ("black_hole", {"seconds": 3.0}),
]


class Account:
    """What was asked and what came of it."""

    def __init__(self, requests: int) -> None:
        self._lock = threading.Lock()
        self._left = requests
        self.outcomes: Counter[str] = Counter()

    def take(self, most: int = LINES_A_BATCH) -> int:
        """Return how many requests the next client may make; 0 when all were asked."""
        with self._lock:
            count = min(self._left, most)
            self._left -= count
            return count

    def enter(self, asked: list[tuple[int, int]], rows: list[dict[str, Any]]) -> None:
        """Compare a batch's answers with its questions."""
        with self._lock:
            self.outcomes["lost"] += len(asked) - len(rows)
            for pair, row in zip(asked, rows, strict=False):
                self.outcomes[judge(pair, row)] += 1


def judge(pair: tuple[int, int], row: dict[str, Any]) -> str:
    """Return what a row is: right, crossed or wrong, or which rejection."""
    if "error" in row:
        return "no answer" if "No response" in row["error"] else "rejected"
    if row.get("min") != min(pair) or row.get("max") != max(pair):
        return "crossed"
    return "right" if row.get("sum") == sum(pair) and row.get("count") == 2 else "wrong"


def ask(place: Place, gate: Gate, account: Account, chance: random.Random) -> None:
    """Send batches until all requests were asked (a thread's work)."""
    while count := account.take():
        asked = [(chance.randrange(10**9), chance.randrange(10**9)) for _ in range(count)]
        text = "".join(f"{one},{other}\n" for one, other in asked)
        done = place.run(
            "numbers_client.py",
            *("batch", "-", "--timeout", "120"),
            text=text,
            seconds=600,
            env={"AWS_ENDPOINT_URL": gate.url},
        )
        account.enter(asked, [json.loads(line) for line in done.stdout.splitlines()])
        if done.returncode:
            print(f"a batch ended with status {done.returncode}: {done.stderr[-300:]}")


def ask_one_by_one(account: Account, chance: random.Random) -> None:
    """Ask single questions, with a person's pauses, until all requests were asked (a thread's work)."""
    aws = Aws(CredentialRefresh(seconds=None, tell=print))
    requests, replies = Mailbox(aws, "requestQueue"), Mailbox(aws, "responseQueue")
    requester = Exchange(requests=requests, replies=replies, kind="numbers", clock=aws.clock, tell=lambda _: None)
    while account.take(1):
        pair = (chance.randrange(10**9), chance.randrange(10**9))
        result = requester.request(OutgoingRequest(body=f"{pair[0]},{pair[1]}"), timeout_seconds=120).result
        account.enter([pair], [json.loads(result.body) if isinstance(result, Response) else {"error": str(result)}])
        account.outcomes["of them asked one by one"] += 1
        threading.Event().wait(chance.uniform(0, 0.5))


def disturb(
    place: Place, gate: Gate, engine: Engine, stopped: threading.Event, chance: random.Random, did: Counter[str]
) -> None:
    """Kill, freeze and restart workers, restart AWS, and let the network fail, at random (a thread's work)."""
    workers = [start(place, gate) for _ in range(WORKERS)]
    acts = ["kill", "kill", "stop", "stop", "freeze", "freeze", *["network"] * 9, "restart"]
    while not stopped.wait(chance.uniform(0.5, 3)):
        index = chance.randrange(WORKERS)
        act = chance.choice(acts)
        did[act] += 1
        if act == "network":
            kind, how = chance.choice(NETWORK)
            gate.fail(kind, times=chance.randrange(1, 4 if kind == "black_hole" else 20), **how)
        elif act == "restart":
            engine.stop()
            engine.start()
        elif act == "freeze":
            workers[index].process.send_signal(signal.SIGSTOP)
            stopped.wait(chance.uniform(3, 6))
            workers[index].process.send_signal(signal.SIGCONT)
        else:
            workers[index].process.send_signal(signal.SIGKILL if act == "kill" else signal.SIGTERM)
            workers[index] = start(place, gate)
    gate.heal()


def start(place: Place, gate: Gate) -> WorkerProcess:
    """Start one more worker behind the gate."""
    return place.worker("numbers_worker.py", ready=False, AWS_ENDPOINT_URL=gate.url, COURIER_MAX_DELIVERIES="50")


def run(engine: Engine, folder: Path, requests: int, seconds: float, seed: int) -> tuple[Account, Counter[str], float]:
    """Run the soak; return the account, what was done to it, and how long it took."""
    account, did, stopped = Account(requests), Counter[str](), threading.Event()
    with ExitStack() as stack:
        place = Place(env=engine.environment(fresh_account()), folder=folder, stack=stack)
        place.create_queues()
        gate = Gate(engine.url)
        stack.callback(gate.close)
        faults = threading.Thread(target=disturb, args=(place, gate, engine, stopped, random.Random(seed), did))
        clients = [
            threading.Thread(target=ask, args=(place, gate, account, random.Random(seed + number + 1)))
            for number in range(CLIENTS)
        ]
        os.environ.update({**place.env, "AWS_ENDPOINT_URL": gate.url})
        clients += [
            threading.Thread(target=ask_one_by_one, args=(account, random.Random(seed + 100 + number)))
            for number in range(INTERACTIVE)
        ]
        started = time.monotonic()
        for thread in [faults, *clients]:
            thread.start()
        for thread in clients:
            thread.join(max(1.0, started + seconds - time.monotonic()))
        stopped.set()
        for thread in [*clients, faults]:
            thread.join()
        took = time.monotonic() - started
    return account, did, took


def main() -> int:
    """Run it and print the figures; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        engine = Engine(name="ministack", folder=Path(name) / "engine").start()
        try:
            account, did, took = run(engine, Path(name), given.requests, given.minutes * 60, given.seed)
        finally:
            engine.stop()
    outcomes = account.outcomes
    print(f"{given.requests} requests in {took:.0f} s; done to them: {dict(did)}")
    print(f"outcomes: {dict(outcomes)}")
    return 0 if outcomes["right"] == given.requests else 1


if __name__ == "__main__":
    sys.exit(main())
