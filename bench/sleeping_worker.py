"""A worker of the library whose handler sleeps for as long as its request says, and notes when.

    python -m bench.sleeping_worker CONCURRENCY FILE

A request is its number and seconds, "17 0.25". FILE gets a line for each: its number, and when work on it began and
ended, in seconds since the epoch; and a line for each call that sends or deletes: its name, and its begin and end.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import boto3

from courier import Application, Request, Worker, WorkerConfig

NUMBERS = Application("numbers", requests="requestQueue", replies="responseQueue")


def watch(note: Callable[[str, float], None]) -> None:
    """Note each call that sends or deletes, of every client that boto3 makes from here on."""
    make_client, began = boto3.Session.client, threading.local()

    def client(self: boto3.Session, *arguments: Any, **keywords: Any) -> Any:
        made = make_client(self, *arguments, **keywords)
        made.meta.events.register("before-call.sqs", lambda **_: setattr(began, "at", time.time()))
        for call in ("SendMessageBatch", "DeleteMessageBatch"):
            made.meta.events.register(f"after-call.sqs.{call}", lambda call=call, **_: note(call, began.at))
        return made

    boto3.Session.client = client  # type: ignore[method-assign]


def main() -> None:
    """Serve until a signal."""
    logging.basicConfig(level=logging.INFO)
    # Appended lines of several processes do not mix.
    notes = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(name: str, began: float) -> None:
        os.write(notes, f"{name} {began} {time.time()}\n".encode())

    def sleep(request: Request) -> str:
        began = time.time()
        number, seconds = request.body.split()
        time.sleep(float(seconds))
        note(number, began)
        return number

    watch(note)
    config = WorkerConfig(concurrency=int(sys.argv[1]))
    Worker(sleep, NUMBERS, config).run(ready=lambda: print("listens on", file=sys.stderr, flush=True))


if __name__ == "__main__":
    main()
