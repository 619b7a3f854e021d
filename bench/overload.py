"""What crowds of clients and ten thousand waiting requests cost: seconds for the clients, memory for all.

    python -m bench.overload [--crowds] [--requests 10000]

First crowds of 1 to 100 clients that ask one thing after another, all on the shared reply queue and then each with a
private one, beside two batches that go on; the aim of a client's 95th percentile, of 30 clients, is 1.5 times that with
private queues. Then a queue with ten thousand requests of 17 numbers sent manually, a
worker that drains it, and a client that asks one thing meanwhile; and a batch of as many lists through a client.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench import results
from bench.peak import peak_megabytes
from bench.throughput import ROOT, create_queues
from tests.support import crowd
from tests.support.engines import Engine, fresh_account

#: The sizes of crowds, the batches beside them, and the share of the clients with a private reply queue.
CLIENTS = (1, 4, 16, 30, 100)
BATCHES = 2
WAYS = {"shared": 0.0, "private": 1.0}
BODY = ",".join(str(number) for number in range(17))


def start(stack: ExitStack, env: dict[str, str], *command: str, **streams: Any) -> subprocess.Popen[bytes]:
    """Start one of the programs, to be ended with `stack`."""
    process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=env, stderr=subprocess.DEVNULL, **streams)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    return process


def crowds(engine: Engine) -> dict[str, dict[str, Any]]:
    """Return what crowds of each size met on the shared reply queue, and with private ones, in turn."""
    account = fresh_account()
    create_queues(engine, account)
    os.environ.update(engine.environment(account))
    found: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack:
        start(stack, engine.environment(account), "numbers_worker.py")
        for clients in CLIENTS:
            for way, share in WAYS.items():
                met = crowd.Crowd(
                    interactive=clients, batches=BATCHES, private=share, endless=True, timeout_seconds=60
                ).run()
                found.setdefault(str(clients), {})[way] = {
                    "seconds": met.seconds,
                    "receives": met.receives,
                    "answered": met.answered,
                    "wrong": met.wrong,
                }
    return found


def print_crowds(engine: Engine) -> None:
    """Print how long the interactive clients of crowds waited."""
    print(f"beside {BATCHES} batches; load {os.getloadavg()[0]:.1f}")
    print(f"{'clients':>7} {'reply queue':<11} {'receives/answer':>15} {'p50 s':>7} {'p95 s':>7} {'worst s':>7}  wrong")
    for clients, ways in crowds(engine).items():
        for way, met in ways.items():
            seconds = met["seconds"]
            p50, p95, worst = (results.percentile(seconds, share) for share in (0.5, 0.95, 1))
            receives = met["receives"] / len(seconds)
            line = f"{clients:>7} {way:<11} {receives:15.2f} {p50:7.2f} {p95:7.2f} {worst:7.2f}  {len(met['wrong'])}"
            print(line, flush=True)
        shared, private = (results.percentile(met["seconds"], 0.95) for met in ways.values())
        print(f"{'':7} shared / private, 95 %: {shared / private:.1f} (aim 1.5)", flush=True)


def measure(rounds: int = 3) -> dict[str, Any]:
    """Return what crowds of each size met, in each round."""
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(name="ministack", folder=Path(folder)).start()
        try:
            return {"batches": BATCHES, "rounds": [crowds(engine) for _ in range(rounds)]}
        finally:
            engine.stop()


def backlog(engine: Engine, count: int) -> None:
    """Print what a worker needs for a full queue, and how long one more client waits behind it."""
    account = fresh_account()
    client, url = create_queues(engine, account)
    entries = [{"Id": str(number), "MessageBody": BODY, "DelaySeconds": 0} for number in range(10)]
    for _ in range(count // 10):
        client.send_message_batch(QueueUrl=url, Entries=entries)
    env = engine.environment(account)
    with ExitStack() as stack:
        started = time.monotonic()
        worker = start(stack, env, "numbers_worker.py", "--stop-when-empty")
        single = start(stack, env, "numbers_client.py", "send", "1,2", "--timeout", "600", stdout=subprocess.DEVNULL)
        threading.Thread(target=lambda: print(f"  one client behind them: {waited(single, started):.1f} s")).start()
        peak = 0.0
        while worker.poll() is None:
            peak = max(peak, peak_megabytes(worker.pid))
            time.sleep(0.2)
        print(f"{count} requests queued, one worker: {time.monotonic() - started:.0f} s, peak {peak:.0f} MB")


def waited(process: subprocess.Popen[bytes], started: float) -> float:
    """Return when a process ended, in seconds after `started`."""
    process.wait()
    return time.monotonic() - started


def large_batch(engine: Engine, count: int) -> None:
    """Print what a client needs for a long batch."""
    account = fresh_account()
    create_queues(engine, account)
    env = engine.environment(account)
    with ExitStack() as stack, tempfile.TemporaryFile() as lines:
        lines.write(f"{BODY}\n".encode() * count)
        lines.seek(0)
        start(stack, env, "numbers_worker.py")
        started, peak = time.monotonic(), 0.0
        batch = start(stack, env, "numbers_client.py", "batch", "-", stdin=lines, stdout=subprocess.DEVNULL)
        while batch.poll() is None:
            peak = max(peak, peak_megabytes(batch.pid))
            time.sleep(0.2)
        print(f"a batch of {count} lists: {time.monotonic() - started:.0f} s, client's peak {peak:.0f} MB")


def main() -> None:
    """Measure all three and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--crowds", action="store_true", help="the crowds only")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(name="ministack", folder=Path(folder)).start()
        try:
            print_crowds(engine)
            if given.crowds:
                return
            large_batch(engine, given.requests)
            backlog(engine, given.requests)
        finally:
            engine.stop()


if __name__ == "__main__":
    main()
