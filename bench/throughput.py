"""A worker's throughput beside a bare boto3 loop on the same engine, and what it costs in calls.

    python -m bench.throughput [--requests 2000] [--rounds 3]

Each round fills the queue again for each contestant, so that both meet the same machine. Prints the median
of the rounds. The aims: at most 0.35 calls a request and 0.7 of the bare loop's requests per second; with 10 ms added
to every call, 3 times a single-threaded bare loop.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import boto3

from tests.support.engines import REGION, Engine, fresh_account

ROOT = Path(__file__).parent.parent
CONTESTANTS = {
    "bare": ["bare"],
    "courier": ["courier"],
    "bare + 10 ms": ["bare", "--delay-ms", "10"],
    "courier + 10 ms": ["courier", "--delay-ms", "10"],
}


def create_queues(engine: Engine, account: str) -> tuple[Any, str]:
    """Create the queues in a fresh account; return a bare client and requestQueue's URL."""
    client: Any = boto3.client(
        "sqs",
        endpoint_url=engine.url,
        region_name=REGION,
        aws_access_key_id=account,
        aws_secret_access_key="test",
    )
    attributes = json.loads((ROOT / "create-queue.json").read_text())
    url = client.create_queue(QueueName="requestQueue", Attributes=attributes)["QueueUrl"]
    client.create_queue(QueueName="responseQueue", Attributes=attributes)
    return client, url


def fill(engine: Engine, account: str, count: int) -> None:
    """Post `count` requests of 17 numbers, as our own client does, in a fresh account."""
    client, url = create_queues(engine, account)
    numbers = random.Random(7)
    for start in range(0, count, 10):
        entries = [_entry(index, numbers) for index in range(start, start + 10)]
        client.send_message_batch(QueueUrl=url, Entries=entries)


def _entry(index: int, numbers: random.Random) -> dict[str, Any]:
    return {
        "Id": str(index),
        "MessageBody": ",".join(f"{numbers.uniform(-1000, 1000):.2f}" for _ in range(17)),
        "DelaySeconds": 0,
        "MessageAttributes": request_attributes(f"{index:032x}"),
    }


def request_attributes(request_id: str) -> dict[str, dict[str, str]]:
    """Return the attributes of a request, as our own client sends them."""
    attributes = {
        "request-id": request_id,
        "reply-to": "responseQueue",
        "kind": "numbers",
        "deadline": "4102444800.000",
        "version": "1",
    }
    return {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}


def run(engine: Engine, contestant: list[str], count: int) -> dict[str, float]:
    """Return requests per second, calls and CPU per request of one run."""
    account = fresh_account()
    fill(engine, account, count)
    command = [sys.executable, "-m", "bench.counted", *contestant]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=engine.environment(account),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    figures = json.loads(done.stdout)
    return {
        "requests/s": count / figures["seconds"],
        "calls/request": sum(figures["calls"].values()) / count,
        "CPU ms/request": figures["cpu_seconds"] * 1000 / count,
        "peak MB": figures["peak_mb"],
    }


def measure(requests: int = 2000, rounds: int = 3) -> dict[str, Any]:
    """Run all contestants in turn, `rounds` times; return the figures of each round."""
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(name="ministack", folder=Path(folder)).start()
        try:
            found = [
                {name: run(engine, contestant, requests) for name, contestant in CONTESTANTS.items()}
                for _ in range(rounds)
            ]
        finally:
            engine.stop()
    return {"requests": requests, "rounds": found}


def main() -> None:
    """Measure and print the medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    rounds = measure(given.requests, given.rounds)["rounds"]
    medians = {
        name: {key: statistics.median(one[name][key] for one in rounds) for key in rounds[0][name]}
        for name in CONTESTANTS
    }
    for name, figures in medians.items():
        print(f"{name:16}", "  ".join(f"{key} {value:8.2f}" for key, value in figures.items()))
    speed = {name: figures["requests/s"] for name, figures in medians.items()}
    print(f"courier / bare: {speed['courier'] / speed['bare']:.2f} (aim 0.7)")
    print(f"with 10 ms added: {speed['courier + 10 ms'] / speed['bare + 10 ms']:.2f} (aim 3)")


if __name__ == "__main__":
    main()
