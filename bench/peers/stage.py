"""A place for one contestant: an account with empty queues, a meter before it, and what was sent and came back."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3

from bench.peers.meter import Meter, peak_megabytes, processor_seconds
from bench.throughput import ROOT
from tests.support.engines import REGION, Engine, fresh_account

ATTRIBUTES: dict[Any, str] = {"DelaySeconds": "0", "VisibilityTimeout": "30", "ReceiveMessageWaitTimeSeconds": "20"}
#: How long a contestant may take to start, or to end after SIGTERM.
START_SECONDS = 120
STOP_SECONDS = 30


class Stage:
    """Where one contestant works; the caller's own calls go past the meter."""

    def __init__(self, engine: Engine, name: str, python: Path) -> None:
        self._engine, self._name, self._python = engine, name, python
        self._account = fresh_account()
        self.meter = Meter(engine.url)
        self.worker: subprocess.Popen[bytes] | None = None
        self.responses: Counter[str] = Counter()
        self._sqs: Any = boto3.client(
            "sqs",
            endpoint_url=engine.url,
            region_name=REGION,
            aws_access_key_id=self._account,
            aws_secret_access_key="test",
        )
        self._urls = {
            name: self._sqs.create_queue(QueueName=name, Attributes=ATTRIBUTES)["QueueUrl"]
            for name in ("requestQueue", "responseQueue")
        }

    def start(self) -> None:
        """Start the worker, and wait for its first receive."""
        self.meter.began = 0.0
        self.worker = self._run("serve", self.meter.url, stderr=subprocess.DEVNULL)
        self.meter.pid = self.worker.pid
        wait_until(lambda: self.meter.began > 0, START_SECONDS)

    def _run(self, action: str, url: str, **streams: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [self._python, "-m", "bench.peers.contestants", self._name, action],
            cwd=ROOT,
            env={**self._engine.environment(self._account), "AWS_ENDPOINT_URL": url, "PYTHONPATH": str(ROOT)},
            start_new_session=True,
            **{"stdout": subprocess.DEVNULL, **streams},
        )

    def send(self, requests: dict[str, str]) -> None:
        """Send requests as the contestant's own library does."""
        lines = "".join(f"{request_id} {numbers}\n" for request_id, numbers in requests.items())
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        sent, errors = self._run("send", self._engine.url, **streams).communicate(lines.encode())
        assert sent.count(b"sent") == len(requests), f"{self._name} could not send: {errors.decode()}"

    def sender(self) -> subprocess.Popen[bytes]:
        """Return a process that sends what it reads."""
        streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        return self._run("send", self._engine.url, **streams)

    def count(self, queue: str, what: str = "") -> int:
        """Return the messages of a queue: those that can be received, or those that are `NotVisible`."""
        name = f"ApproximateNumberOfMessages{what}"
        found = self._sqs.get_queue_attributes(QueueUrl=self._urls[queue], AttributeNames=[name])
        return int(found["Attributes"][name])

    def is_done(self, count: int) -> bool:
        """Whether all requests have responses and are deleted."""
        if self.count("responseQueue") < count:
            return False
        return not self.count("requestQueue") and not self.count("requestQueue", "NotVisible")

    def collect(self, wait_seconds: int = 0) -> int:
        """Take the responses that are there; return their number."""
        taken = 0
        while messages := self._receive(wait_seconds):
            taken += len(messages)
            entries = []
            for index, message in enumerate(messages):
                self.responses[message["MessageAttributes"]["request-id"]["StringValue"]] += 1
                entries.append({"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]})
            self._sqs.delete_message_batch(QueueUrl=self._urls["responseQueue"], Entries=entries)
            if wait_seconds:
                break
        return taken

    def _receive(self, wait_seconds: int) -> list[dict[str, Any]]:
        found: dict[str, list[dict[str, Any]]] = self._sqs.receive_message(
            QueueUrl=self._urls["responseQueue"],
            MaxNumberOfMessages=10,
            WaitTimeSeconds=wait_seconds,
            MessageAttributeNames=["All"],
        )
        return found.get("Messages", [])

    def spent(self) -> float:
        """Return the processor seconds of the worker since its first receive."""
        return processor_seconds(self.meter.pid) - self.meter.spent_before

    def peak_megabytes(self) -> float:
        """Return the most memory that the worker's processes have had."""
        return peak_megabytes(self.meter.pid)

    def end(self, number: int = signal.SIGTERM) -> bool:
        """End the worker by a signal, SIGKILL for all its processes; return whether it ended in time."""
        assert self.worker is not None
        is_kill = number == signal.SIGKILL
        (os.killpg if is_kill else os.kill)(self.worker.pid, number)
        try:
            self.worker.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.worker.pid, signal.SIGKILL)
            self.worker.wait()
            return False
        return True

    def close(self) -> None:
        """End everything that is left."""
        if self.worker is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.worker.pid, signal.SIGKILL)
            self.worker.wait()
        self.meter.close()


def requests(count: int, numbers: int) -> dict[str, str]:
    """Return requests by their ids."""
    chosen = random.Random(7)
    return {
        uuid.UUID(int=chosen.getrandbits(128)).hex: ",".join(
            f"{chosen.uniform(-1000, 1000):.2f}" for _ in range(numbers)
        )
        for _ in range(count)
    }


def wait_until(condition: Callable[[], bool], seconds: float, every: float = 0.1) -> bool:
    """Wait until something is so; return whether it became so in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True
