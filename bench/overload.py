"""What thirty clients at once and ten thousand waiting requests cost: seconds for the clients, memory for all.

    python -m bench.overload [--requests 10000]

First thirty clients on the shared response queue, 26 that ask one thing after another and 4 with batches of 45;
the aim is a 95th percentile under 1 s. Then a queue with ten thousand requests of 17 numbers sent manually, a
worker that drains it, and a client that asks one thing meanwhile; and a batch of as many lists through a client.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.latency import timed
from bench.throughput import ROOT, create_queues
from tests.support import crowd
from tests.support.engines import Engine, fresh_account

BODY = ",".join(str(number) for number in range(17))


def peak_megabytes(pid: int) -> float:
    """Return the most memory that a process has had resident, in megabytes (Linux); 0 if it has ended."""
    found = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[0]) * 1024 / 1e6 if found else 0.0


def start(stack: ExitStack, env: dict[str, str], *command: str, **streams: Any) -> subprocess.Popen[bytes]:
    """Start one of the programs, to be ended with `stack`."""
    process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=env, stderr=subprocess.DEVNULL, **streams)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    return process


def thirty_clients(engine: Engine) -> tuple[list[float], crowd.Crowd]:
    """Return the seconds of one client's round trips while it is alone, and what thirty clients met."""
    account = fresh_account()
    create_queues(engine, account)
    os.environ.update(engine.environment(account))
    with ExitStack() as stack:
        start(stack, engine.environment(account), "numbers_worker.py")
        return alone(), crowd.run()


def alone(trips: int = 20) -> list[float]:
    """Return the seconds of one client's round trips."""
    from courier import Application, Requester

    requester = Requester(Application("numbers", requests="requestQueue", replies="responseQueue"), timeout=30)
    requester.request(BODY)
    return [timed(lambda: requester.request(BODY)) for _ in range(trips)]


def print_thirty_clients(engine: Engine) -> None:
    """Print how long the interactive ones of thirty clients waited."""
    single, met = thirty_clients(engine)
    print(f"30 clients: {met.answered} answered, {len(met.wrong)} wrong; interactive round trips:")
    median, high, worst = met.percentile(0.5), met.percentile(0.95), max(met.seconds)
    print(f"  median {median:.2f} s, p95 {high:.2f} s (aim 1), worst {worst:.2f} s")
    print(f"  median of one client alone: {statistics.median(single):.2f} s")


def measure(rounds: int = 3) -> dict[str, Any]:
    """Return the seconds of round trips of one client alone and of thirty at once, in each round."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(name="ministack", folder=Path(folder)).start()
        try:
            for _ in range(rounds):
                single, met = thirty_clients(engine)
                found.append({"alone": single, "crowd": met.seconds, "answered": met.answered, "wrong": met.wrong})
        finally:
            engine.stop()
    return {"rounds": found}


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
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(name="ministack", folder=Path(folder)).start()
        try:
            print_thirty_clients(engine)
            large_batch(engine, given.requests)
            backlog(engine, given.requests)
        finally:
            engine.stop()


if __name__ == "__main__":
    main()
