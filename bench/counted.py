"""Run a numbers worker with every call to AWS counted and, if asked, delayed; print what it took as JSON.

    python -m bench.counted courier|bare [--threads N] [--delay-ms 10] [--forever]

`bare` is the yardstick: a plain boto3 loop that receives, sends and deletes by tens and computes the same
answers with the same functions. The time runs from the first call to the last acknowledgement.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import threading
import time
from collections import Counter
from typing import Any

import boto3

from courier.cli import workers
from courier.messaging.protocol import Request
from courier.numbers import handler

calls: Counter[str] = Counter()
moments = {"first": 0.0, "last": 0.0}
lock = threading.Lock()


def watch(delay_seconds: float) -> None:
    """Count and delay every call of every client that boto3 makes from here on."""
    make_client = boto3.Session.client

    def client(self: boto3.Session, *arguments: Any, **keywords: Any) -> Any:
        made = make_client(self, *arguments, **keywords)
        made.meta.events.register("before-send", lambda request, **_: _before(request, delay_seconds))
        made.meta.events.register("after-call.sqs.DeleteMessageBatch", lambda **_: _deleted())
        return made

    boto3.Session.client = client  # type: ignore[method-assign]


def _before(request: Any, delay_seconds: float) -> None:
    target = request.headers.get("X-Amz-Target", b"?")
    name = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
    with lock:
        calls[name] += 1
        moments["first"] = moments["first"] or time.perf_counter()
    time.sleep(delay_seconds)


def _deleted() -> None:
    moments["last"] = time.perf_counter()


def bare_loop(threads: int, *, forever: bool) -> None:
    """Serve requestQueue, until it is empty or forever, with nothing but boto3."""
    client: Any = boto3.client("sqs")
    requests = client.get_queue_url(QueueName="requestQueue")["QueueUrl"]
    responses = client.get_queue_url(QueueName="responseQueue")["QueueUrl"]

    def loop() -> None:
        while True:
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

    pool = [threading.Thread(target=loop) for _ in range(threads)]
    for thread in pool:
        thread.start()
    for thread in pool:
        thread.join()


def main() -> None:
    """Run one worker and print its figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("worker", choices=("courier", "bare"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--delay-ms", type=float, default=0)
    parser.add_argument("--forever", action="store_true", help="serve until SIGTERM")
    given = parser.parse_args()
    watch(given.delay_ms / 1000)
    if given.worker == "bare":
        bare_loop(given.threads, forever=given.forever)
    else:
        workers.numbers([] if given.forever else ["--stop-when-empty"])
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "seconds": moments["last"] - moments["first"],
                "calls": dict(calls),
                "cpu_seconds": used.ru_utime + used.ru_stime,
                "peak_rss_mb": used.ru_maxrss / 1024,
            }
        )
    )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
