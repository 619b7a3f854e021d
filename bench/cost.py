"""The calls to AWS that lists and images cost, client and worker together, counted on their way.

    python -m bench.cost

Lists one at a time, lists in a batch, thirty menus at once, and a folder of images, each in an account of its own,
through a gate that counts every call by what AWS charges for it: `sqs`, `put` (S3's PUT, COPY, POST and LIST), `get`
(S3's GET and HEAD), and `free`. What both do at their start is counted too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.batch import new_account
from bench.overload import BODY
from bench.running import running
from bench.throughput import ROOT
from courier.images.preview import sample
from tests.support import crowd
from tests.support.engines import Engine
from tests.support.gate import Gate

#: The lists that are sent one at a time, those of a batch, and the images of a folder.
ALONE, BATCH, IMAGES = 50, 500, 20


class Till(Gate):
    """A gate that counts calls by what they cost."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.charged: Counter[str] = Counter()

    def forward(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """Count the call, and make it."""
        self.charged[_charge(request, body)] += 1
        return super().forward(request, body)


def _charge(request: BaseHTTPRequestHandler, body: bytes) -> str:
    if "X-Amz-Target" in request.headers:
        return "sqs"
    if request.command == "DELETE" or body.startswith(b"Action="):
        return "free"
    is_list = request.command == "GET" and "list-type" in urlsplit(request.path).query
    return "put" if is_list or request.command in {"PUT", "POST"} else "get"


@contextmanager
def counted(engine: Engine, program: str) -> Iterator[Till]:
    """Point this process at an account whose calls are counted, with a worker there."""
    till = Till(engine.url)
    os.environ.update({**engine.environment(new_account(engine)), "AWS_ENDPOINT_URL": till.url})
    try:
        with running([program]):
            yield till
    finally:
        till.close()


def lists_alone() -> int:
    """Send lists one at a time, as a person does in the menu; return how many."""
    from courier import Application, Requester

    requester = Requester(Application("numbers", requests="requestQueue", replies="responseQueue"), timeout=60)
    for _ in range(ALONE):
        requester.request(BODY)
    return ALONE


def batch() -> int:
    """Send lists in a batch; return how many."""
    _client("numbers_client.py", "batch", "-", "--timeout", "600", text=f"{BODY}\n" * BATCH)
    return BATCH


def class_of_thirty() -> int:
    """Send lists one at a time from thirty clients, which have reply queues as menus have; return how many."""
    return crowd.Crowd(interactive=30, batches=0, private=1.0, trips=10).run().answered


def images() -> int:
    """Process a folder of images from end to end; return how many."""
    with tempfile.TemporaryDirectory() as name:
        sources = Path(name, "sources")
        sources.mkdir()
        for number in range(IMAGES):
            # Not the same file twice, which would be uploaded once.
            (sources / f"{number}.png").write_bytes(sample() + bytes([number]))
        _client("images_client.py", "run", str(sources), "--operations", "grayscale", "--to", name, "--timeout", "600")
    return IMAGES


def _client(*command: str, text: str = "") -> None:
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, input=text, stdout=subprocess.DEVNULL, text=True, check=False
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}"


TRIALS: dict[str, tuple[str, Callable[[], int]]] = {
    "lists, one at a time": ("numbers_worker.py", lists_alone),
    "lists in a batch": ("numbers_worker.py", batch),
    "lists of thirty menus": ("numbers_worker.py", class_of_thirty),
    "images of a folder": ("images_worker.py", images),
}


def measure() -> dict[str, Any]:
    """Return what each trial was charged, for a thousand."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(name="ministack", folder=Path(folder)).start()
        try:
            for name, (program, trial) in TRIALS.items():
                with counted(engine, program) as till:
                    count = trial()
                    found[name] = {kind: calls * 1000 / count for kind, calls in sorted(till.charged.items())}
        finally:
            engine.stop()
    return {"calls per 1,000": found}


def main() -> None:
    """Measure and print."""
    print(json.dumps(measure(), indent=1))


if __name__ == "__main__":
    main()
