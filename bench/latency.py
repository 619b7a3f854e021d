"""What a person waits for: a round trip, the menu, a stop; and what an idle worker costs.

    python -m bench.latency [--trips 100] [--idle-seconds 119]

Round trips go through our worker and client, and through a bare boto3 worker and client, in turn on one
engine, so that both meet the same machine. The aims: at most 1.3 times the bare one, the menu's prompt
within 0.5 s, a stop under 2 s, and at most 7.1 calls a minute while idle.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect

from bench.throughput import ROOT, create_queues
from tests.support.engines import Engine, fresh_account

BODY = ",".join(str(number) for number in range(17))


def serve(engine: Engine, account: str, worker: str) -> subprocess.Popen[bytes]:
    """Start a worker of either kind, until SIGTERM."""
    command = [sys.executable, "-m", "bench.counted", worker, "--forever"]
    env = engine.environment(account)
    return subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def bare_trip(client: Any, requests: str, responses: str) -> None:
    """Send one request and wait for its answer, with nothing but boto3."""
    request_id = uuid.uuid4().hex
    attributes = {"request-id": {"DataType": "String", "StringValue": request_id}}
    client.send_message(QueueUrl=requests, MessageBody=BODY, DelaySeconds=0, MessageAttributes=attributes)
    while True:
        answer = client.receive_message(
            QueueUrl=responses, MaxNumberOfMessages=10, WaitTimeSeconds=20, MessageAttributeNames=["All"]
        )
        for message in answer.get("Messages", []):
            client.delete_message(QueueUrl=responses, ReceiptHandle=message["ReceiptHandle"])
            if message["MessageAttributes"]["request-id"]["StringValue"] == request_id:
                return


def our_trip(engine: Engine, account: str) -> Callable[[], None]:
    """Return what makes one round trip with our own client."""
    os.environ.update(engine.environment(account))
    from courier import Application, Requester

    requester = Requester(Application("numbers", requests="requestQueue", replies="responseQueue"), timeout=20)

    def ask() -> None:
        requester.request(BODY)

    return ask


def timed(action: Callable[[], object]) -> float:
    """Return the seconds that `action` takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def round_trips(engine: Engine, trips: int) -> dict[str, list[float]]:
    """Return the seconds of round trips of both kinds, made in turn."""
    bare_account, our_account = fresh_account(), fresh_account()
    client, requests = create_queues(engine, bare_account)
    create_queues(engine, our_account)
    responses = client.get_queue_url(QueueName="responseQueue")["QueueUrl"]
    ours = our_trip(engine, our_account)
    workers = [serve(engine, bare_account, "bare"), serve(engine, our_account, "courier")]
    bare_trip(client, requests, responses)
    ours()
    pairs = [(timed(lambda: bare_trip(client, requests, responses)), timed(ours)) for _ in range(trips)]
    workers[0].kill()
    workers[1].terminate()
    for worker in workers:
        worker.communicate()
    bare, courier = zip(*pairs, strict=True)
    return {"bare": list(bare), "courier": list(courier)}


def print_round_trips(engine: Engine, trips: int) -> None:
    """Print the medians of both kinds."""
    bare, courier = (statistics.median(times) * 1000 for times in round_trips(engine, trips).values())
    print(f"round trip, median of {trips}: bare {bare:.0f} ms, courier {courier:.0f} ms")
    print(f"courier / bare: {courier / bare:.2f} (aim 1.3)")


def menu(engine: Engine) -> None:
    """Print how long the menus take to their first prompt."""
    for program in ("numbers_client.py", "images_client.py"):
        times = []
        for _ in range(7):
            started = time.perf_counter()
            child = pexpect.spawn(sys.executable, [str(ROOT / program)], env=engine.environment(), timeout=20)
            child.expect_exact("Your choice: ")
            times.append(time.perf_counter() - started)
            child.close(force=True)
        print(f"{program}: first prompt after {statistics.median(times):.2f} s (aim 0.5)")


def stop(engine: Engine) -> None:
    """Print how long an idle worker takes to end at SIGTERM."""
    account = fresh_account()
    create_queues(engine, account)
    times = []
    for _ in range(5):
        worker = subprocess.Popen(
            [sys.executable, str(ROOT / "numbers_worker.py")],
            env=engine.environment(account),
            stderr=subprocess.PIPE,
        )
        assert worker.stderr is not None
        worker.stderr.readline()
        time.sleep(1.5)
        started = time.perf_counter()
        worker.terminate()
        worker.wait()
        times.append(time.perf_counter() - started)
        worker.stderr.close()
    print(f"SIGTERM in an idle long poll: {statistics.median(times):.2f} s, worst {max(times):.2f} s (aim 2)")


def idle(engine: Engine, seconds: float) -> dict[str, int]:
    """Return the calls that an idle worker makes, by kind."""
    account = fresh_account()
    create_queues(engine, account)
    worker = serve(engine, account, "courier")
    time.sleep(seconds)
    worker.send_signal(signal.SIGTERM)
    out, _ = worker.communicate()
    calls: dict[str, int] = json.loads(out)["calls"]
    return calls


def print_idle(engine: Engine, seconds: float) -> None:
    """Print how many calls a minute an idle worker makes."""
    calls = idle(engine, seconds)
    polls = calls.get("ReceiveMessage", 0)
    print(f"idle for {seconds:.0f} s: {calls}, {polls * 60 / seconds:.1f} polls a minute (aim 7.1)")


def measure(trips: int = 100, idle_seconds: float = 119) -> dict[str, Any]:
    """Return the seconds of round trips, and the calls of an idle worker."""
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(name="ministack", folder=Path(folder)).start()
        try:
            seconds = round_trips(engine, trips)
            return {"seconds": seconds, "idle": {"seconds": idle_seconds, "calls": idle(engine, idle_seconds)}}
        finally:
            engine.stop()


def main() -> None:
    """Run all measurements."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trips", type=int, default=100)
    parser.add_argument("--idle-seconds", type=float, default=119)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(name="ministack", folder=Path(folder)).start()
        try:
            print_round_trips(engine, given.trips)
            menu(engine)
            stop(engine)
            print_idle(engine, given.idle_seconds)
        finally:
            engine.stop()


if __name__ == "__main__":
    main()
