"""A worker of the library whose handler sleeps for as long as its request says, and notes when.

    python -m bench.sleeping_worker CONCURRENCY FILE

A request is its number and seconds, "17 0.25". FILE gets three lines for each, with the number and two moments, in
seconds since the epoch: "received" with the begin and the end of the call that brought it, "worked", and "deleted".
"""

from __future__ import annotations

import json
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


Note = Callable[[str, str, float], None]


class Calls:
    """Notes of each call that receives and deletes, by the numbers of its requests."""

    def __init__(self, note: Note) -> None:
        self._note = note
        self._numbers: dict[str, str] = {}
        self._call = threading.local()

    def watch(self, client: Any) -> None:
        """Note the calls of a client from here on."""
        client.meta.events.register("before-call.sqs", self._begin)
        client.meta.events.register("after-call.sqs.ReceiveMessage", self._received)
        client.meta.events.register("after-call.sqs.DeleteMessageBatch", self._deleted)

    def _begin(self, params: Any, **_: Any) -> None:
        self._call.at = time.time()
        self._call.body = params["body"]

    def _received(self, parsed: Any, **_: Any) -> None:
        for message in parsed.get("Messages", []):
            number = self._numbers[message["ReceiptHandle"]] = message["Body"].split()[0]
            self._note("received", number, self._call.at)

    def _deleted(self, **_: Any) -> None:
        for entry in json.loads(self._call.body)["Entries"]:
            self._note("deleted", self._numbers[entry["ReceiptHandle"]], self._call.at)


def main() -> None:
    """Serve until a signal."""
    logging.basicConfig(level=logging.INFO)
    # Appended lines of several processes do not mix.
    notes = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(what: str, number: str, began: float) -> None:
        os.write(notes, f"{what} {number} {began} {time.time()}\n".encode())

    def sleep(request: Request) -> str:
        began = time.time()
        number, seconds = request.body.split()
        time.sleep(float(seconds))
        note("worked", number, began)
        return number

    make_client, calls = boto3.Session.client, Calls(note)

    def client(self: boto3.Session, *arguments: Any, **keywords: Any) -> Any:
        made = make_client(self, *arguments, **keywords)
        calls.watch(made)
        return made

    boto3.Session.client = client  # type: ignore[method-assign]
    config = WorkerConfig(concurrency=int(sys.argv[1]))
    Worker(sleep, NUMBERS, config).run(ready=lambda: print("listens on", file=sys.stderr, flush=True))


if __name__ == "__main__":
    main()
