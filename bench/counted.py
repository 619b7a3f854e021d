"""Run a numbers worker with every call to AWS counted and, if asked, delayed; print what it took as JSON.

    python -m bench.counted courier|bare [--threads N] [--delay-ms 10] [--forever] [--stop-after N]

`bare` is the yardstick: a plain boto3 loop that receives, sends and deletes by tens and computes the same
answers with the same functions. The time runs from the first call to the last acknowledgement, or to that of the Nth
request; `cpu_seconds` includes the start of the program, `cpu_seconds_of_work` does not.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import boto3

from bench.peak import peak_megabytes
from courier.cli import workers
from courier.messaging.protocol import Request
from courier.numbers import handler

calls: Counter[str] = Counter()
deleted: Counter[str] = Counter()
#: Seconds on the clock and of the processor at the first call and at the last acknowledgement.
moments = {"first": (0.0, 0.0), "last": (0.0, 0.0)}
enough = threading.Event()
lock = threading.Lock()


def watch(delay_seconds: float, stop_after: float, end: Callable[[], object]) -> None:
    """Count and delay every call of every client that boto3 makes from here on; `end` after that many requests."""
    make_client = boto3.Session.client

    def deleted_some(parsed: Any, **_: object) -> None:
        if _deleted(len(parsed.get("Successful", []))) >= stop_after and not enough.is_set():
            enough.set()
            end()

    def client(self: boto3.Session, *arguments: Any, **keywords: Any) -> Any:
        made = make_client(self, *arguments, **keywords)
        made.meta.events.register("before-send", lambda request, **_: _before(request, delay_seconds))
        made.meta.events.register("after-call.sqs.DeleteMessageBatch", deleted_some)
        return made

    boto3.Session.client = client  # type: ignore[method-assign]


def _before(request: Any, delay_seconds: float) -> None:
    target = request.headers.get("X-Amz-Target", b"?")
    name = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
    with lock:
        calls[name] += 1
        if not any(moments["first"]):
            moments["first"] = _now()
    time.sleep(delay_seconds)


def _deleted(count: int) -> int:
    with lock:
        deleted["requests"] += count
        if not enough.is_set():
            moments["last"] = _now()
        return deleted["requests"]


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def bare_loop(threads: int, *, forever: bool) -> None:
    """Serve requestQueue, until it is empty or forever, with nothing but boto3."""
    client: Any = boto3.client("sqs")
    requests = client.get_queue_url(QueueName="requestQueue")["QueueUrl"]
    responses = client.get_queue_url(QueueName="responseQueue")["QueueUrl"]

    def loop() -> None:
        while not enough.is_set():
            messages = client.receive_message(
                QueueUrl=requests,
                MaxNumberOfMessages=10,
                WaitTimeSeconds=20 if forever else 1,
                VisibilityTimeout=30,
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            if messages:
                _serve(messages)
            elif not forever:
                return

    def _serve(messages: list[Any]) -> None:
        answers = [
            {
                "Id": str(index),
                "MessageBody": handler.answer(Request(body=message["Body"])),
                "DelaySeconds": 0,
                "MessageAttributes": {"request-id": message["MessageAttributes"]["request-id"]},
            }
            for index, message in enumerate(messages)
        ]
        client.send_message_batch(QueueUrl=responses, Entries=answers)
        entries = [
            {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]} for index, message in enumerate(messages)
        ]
        client.delete_message_batch(QueueUrl=requests, Entries=entries)

    print("the bare loop listens on requestQueue", file=sys.stderr, flush=True)
    pool = [threading.Thread(target=loop) for _ in range(threads)]
    for thread in pool:
        thread.start()
    for thread in pool:
        thread.join()


def _terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Run one worker and print its figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("worker", choices=("courier", "bare"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--delay-ms", type=float, default=0)
    parser.add_argument("--forever", action="store_true", help="serve until SIGTERM")
    parser.add_argument("--stop-after", type=float, metavar="N", default=float("inf"), help="end after N requests")
    given = parser.parse_args()
    is_bare = given.worker == "bare"
    watch(given.delay_ms / 1000, given.stop_after, (lambda: None) if is_bare else _terminate)
    if is_bare:
        bare_loop(given.threads, forever=given.forever)
    else:
        workers.numbers([] if given.forever else ["--stop-when-empty"])
    (first, cpu_first), (last, cpu_last) = moments["first"], moments["last"]
    found = {
        "seconds": last - first,
        "calls": dict(calls),
        "cpu_seconds": time.process_time(),
        "cpu_seconds_of_work": cpu_last - cpu_first,
        "peak_mb": peak_megabytes(),
    }
    print(json.dumps(found))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
